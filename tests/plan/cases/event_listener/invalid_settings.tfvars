name    = "a-name-of-fifty-characters-which-is-one-too-many-x"
sources = { a = { type = "s3", bucket = "b" } }
stations = [
  { name = "x", type = "step function" },
  { name = "x", type = "lambda", bucket = "b" },
]
settings = { result_ttl_hours = 0, inline_limit_bytes = 400000 }
