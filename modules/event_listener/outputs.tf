output "event_harness" {
  description = "What the harness reads: where the results are, what is listened to, and the way through the system."
  value = {
    schema = 1
    region = data.aws_region.current.id
    results = {
      table           = aws_dynamodb_table.results.name
      index           = "by_arrival"
      overflow_bucket = module.overflow.name
    }
    listener = {
      function          = module.function.name
      log_group         = module.function.log_group
      failure_queue_url = module.function.failure_queue_url
    }
    sources  = { for name, source in local.sources : name => { type = source.type, correlation = source.correlation } }
    stations = [for station in var.stations : { for field, value in station : field => value if value != null }]
  }

  # Who reads it may send at once: what is sent is heard.
  depends_on = [aws_lambda_permission.bucket, aws_s3_bucket_notification.this]
}
