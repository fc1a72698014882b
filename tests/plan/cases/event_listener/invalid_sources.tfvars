sources = {
  "a/b" = { type = "s3", bucket = "b" }
  c     = { type = "kafka" }
  d     = { type = "s3" }
  e     = { type = "s3", bucket = "b", filters = [] }
  f     = { type = "sqs", queue_arn = "https://sqs/queue" }
  g     = { type = "sns" }
  h     = { type = "eventbridge" }
  i     = { type = "dynamodb" }
  j     = { type = "s3", bucket = "j", mapping = false }
  l     = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:l", decode = ["zip"] }
  k     = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:k", partial_batch_responses = true }
}
