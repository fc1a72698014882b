name = "own-mappings"
sources = {
  clicks = { type = "kinesis", stream_arn = "arn:aws:kinesis:eu-west-1:000000000000:stream/clicks", mapping = false, partial_batch_responses = true }
  crates = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:crates", mapping = false, partial_batch_responses = true }
  plain  = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:plain", mapping = false }
}
