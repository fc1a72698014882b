name = "a-name-of-forty-nine-characters-which-is-the-most"
sources = {
  clicks  = { type = "kinesis", stream_arn = "arn:aws:kinesis:eu-west-1:000000000000:stream/clicks" }
  reports = { type = "s3", bucket = "reports", notification = false }
  an-event-whose-rule-would-be-too-long = {
    type    = "eventbridge"
    pattern = "{\"source\": [\"x\"]}"
  }
}
components = [
  { name = "in", type = "kinesis", stream = "clicks" },
  { name = "work", type = "lambda", function = "work", log_group = "/aws/lambda/work" },
]
settings = { result_ttl_hours = 49, inline_limit_bytes = 0 }
