sources = {
  a = { type = "s3", bucket = "b", filters = [{ prefix = "x/" }] }
  c = { type = "s3", bucket = "b", filters = [{ prefix = "y/" }] }
}
