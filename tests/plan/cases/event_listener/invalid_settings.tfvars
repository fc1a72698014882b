name    = "a-name-of-fifty-characters-which-is-one-too-many-x"
sources = { a = { type = "s3", bucket = "b" } }
components = [
  { name = "x", type = "step function" },
  { name = "x", type = "lambda", bucket = "b" },
  { name = "s3", type = "s3", log_group = "g" },
  { name = "sqs", type = "sqs", log_group = "g" },
  { name = "sns", type = "sns", log_group = "g" },
  { name = "eventbridge", type = "eventbridge", log_group = "g" },
  { name = "dynamodb", type = "dynamodb", log_group = "g" },
  { name = "kinesis", type = "kinesis", log_group = "g" },
  { name = "http", type = "http", log_group = "g" },
  { name = "stepfunctions", type = "stepfunctions", log_group = "g" },
  { name = "pipe", type = "pipe", log_group = "g" },
  { name = "other", type = "other", log_group = "g" },
]
settings = { result_ttl_hours = 0, inline_limit_bytes = 400000 }
