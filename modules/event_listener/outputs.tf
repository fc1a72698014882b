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
    components = [for component in var.components : { for field, value in component : field => value if value != null }]
  }

  precondition {
    condition     = length(distinct(values(local.sources)[*].match)) == length(local.sources)
    error_message = "Two sources name the same bucket, queue, topic or stream: make them one (a bucket may have several `filters`), or it couldn't be told where an event comes from."
  }

  # Lambda measures all variables together, written as JSON; the others take up to 400 bytes of its 4,096.
  precondition {
    condition     = length(jsonencode(local.sources_json)) <= 3700
    error_message = "There are too many sources for the listener's environment, in which Lambda takes 4 KB: name fewer (about 20 fit), such as one bucket with several `filters`, or one queue behind several topics or rules."
  }

  # Who reads it may send at once: what is sent is heard.
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
  description = "ARN of the listener, for a notification or an event source mapping of yours (`notification = false`, `mapping = false`)."
  value       = module.function.arn
}

output "failure_queue_arn" {
  description = "ARN of the listener's failure queue, the on-failure destination of a stream's mapping that is yours."
  value       = module.function.failure_queue_arn
}
