sources = {
  header   = { type = "sqs", queue_arn = "arn:q", correlation = { from = "header", at = "id" } }
  nowhere  = { type = "sqs", queue_arn = "arn:r", correlation = { from = "attribute" } }
  on_a_key = { type = "s3", bucket = "b", correlation = { from = "attribute", at = "id" } }
  no_id    = { type = "s3", bucket = "c", correlation = { from = "key", at = "out/" } }
  clicks   = { type = "kinesis" }
  no_json  = { type = "eventbridge", pattern = "source = orders" }
}
