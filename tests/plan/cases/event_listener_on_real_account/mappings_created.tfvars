name = "own-mappings"
sources = {
  clicks = { type = "kinesis", stream_arn = "arn:aws:kinesis:eu-west-1:111122223333:stream/clicks", mapping = false, partial_batch_responses = true }
  crates = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:111122223333:crates", mapping = false, partial_batch_responses = true }
  plain  = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:111122223333:plain", mapping = false }
}
