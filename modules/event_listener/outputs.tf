output "event_harness" {
  description = "The resource map for the harness: the results table, the sources, and the components of the system."
  value = {
    schema = 1
    # From an ARN: provider 6 calls each attribute of data.aws_region deprecated that provider 3.39 has.
    region = split(":", aws_dynamodb_table.results.arn)[3]
    results = {
      table           = aws_dynamodb_table.results.name
      index           = "by_arrival"
      overflow_bucket = module.overflow.name
      shards          = var.result_shards
    }
    listener = {
      function          = module.function.name
      log_group         = module.function.log_group
      failure_queue_url = module.function.failure_queue_url
    }
    sources    = { for name, source in local.sources : name => { type = source.type, correlation = source.correlation } }
    components = [for component in var.components : { for field, value in component : field => value if value != null }]
  }

  precondition {
    condition     = length(distinct(values(local.sources)[*].match)) == length(local.sources)
    error_message = "Two sources name the same bucket, queue, topic or stream, so the source of an event would be ambiguous: make them one source (a bucket may have several `filters`)."
  }

  # Lambda allows 4,096 bytes for all variables, written as JSON; the others take up to 400.
  precondition {
    condition     = length(jsonencode(local.sources_json)) <= 3700
    error_message = "There are too many sources for the listener's environment, which Lambda limits to 4 KB: name fewer (about 30 fit), for example one bucket with several `filters`, or one queue behind several topics or rules."
  }

  # A reader of this output may send at once: the listener receives everything from then on.
  depends_on = [
    aws_cloudwatch_event_target.this,
    aws_lambda_event_source_mapping.queue,
    aws_lambda_event_source_mapping.stream,
    aws_lambda_permission.bucket,
    aws_s3_bucket_notification.this,
    aws_sns_topic_subscription.this,
  ]
}

output "function_arn" {
  description = "ARN of the listener, for your own notification or event source mapping (`notification = false`, `mapping = false`)."
  value       = module.function.arn
}

output "failure_queue_arn" {
  description = "ARN of the listener's failure queue: use it as the on-failure destination of your own mapping of a stream."
  value       = module.function.failure_queue_arn
}
