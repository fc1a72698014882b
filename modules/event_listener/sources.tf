# How each type of source reaches the listener. S3, SNS and EventBridge push: each needs a permission to invoke
# the listener. Lambda polls SQS, DynamoDB and Kinesis with the listener's role.

data "aws_caller_identity" "current" {}

locals {
  by_type = {
    for type in ["s3", "sqs", "sns", "eventbridge", "dynamodb", "kinesis"] :
    type => { for name, source in var.sources : name => source if source.type == type }
  }
}

# --- S3: pushes ---

resource "aws_lambda_permission" "bucket" {
  for_each = local.by_type.s3

  statement_id   = "AllowBucket-${each.key}"
  action         = "lambda:InvokeFunction"
  function_name  = module.function.name
  principal      = "s3.amazonaws.com"
  source_arn     = "arn:${data.aws_partition.current.partition}:s3:::${each.value.bucket}"
  source_account = data.aws_caller_identity.current.account_id # the ARN of a bucket names no account
}

resource "aws_s3_bucket_notification" "this" {
  for_each = { for name, source in local.by_type.s3 : name => source if source.notification }

  bucket = each.value.bucket

  dynamic "lambda_function" {
    for_each = each.value.filters

    content {
      id                  = "${each.key}-${lambda_function.key}"
      lambda_function_arn = module.function.arn
      events              = ["s3:ObjectCreated:*"]
      filter_prefix       = lambda_function.value.prefix
      filter_suffix       = lambda_function.value.suffix
    }
  }

  # S3 checks the permission when the notification is created.
  depends_on = [aws_lambda_permission.bucket]
}

# --- SNS: pushes ---

resource "aws_lambda_permission" "topic" {
  for_each = local.by_type.sns

  statement_id  = "AllowTopic-${each.key}"
  action        = "lambda:InvokeFunction"
  function_name = module.function.name
  principal     = "sns.amazonaws.com"
  source_arn    = each.value.topic_arn
}

resource "aws_sns_topic_subscription" "this" {
  for_each = local.by_type.sns

  topic_arn     = each.value.topic_arn
  protocol      = "lambda"
  endpoint      = module.function.arn
  filter_policy = each.value.filter_policy

  depends_on = [aws_lambda_permission.topic]
}

# --- EventBridge: pushes ---

locals {
  rule_names = {
    for name, _ in local.by_type.eventbridge : name => (
      length("${var.name}-${name}") <= 64 # the limit of EventBridge
      ? "${var.name}-${name}"
      : "${substr("${var.name}-${name}", 0, 55)}-${substr(sha1("${var.name}-${name}"), 0, 8)}"
    )
  }
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each = local.by_type.eventbridge

  name           = local.rule_names[each.key]
  description    = "Test resource: the events that the event listener stores as source ${each.key}."
  event_bus_name = each.value.bus
  event_pattern  = each.value.pattern
}

resource "aws_lambda_permission" "rule" {
  for_each = local.by_type.eventbridge

  statement_id  = "AllowRule-${each.key}"
  action        = "lambda:InvokeFunction"
  function_name = module.function.name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.this[each.key].arn
}

resource "aws_cloudwatch_event_target" "this" {
  for_each = local.by_type.eventbridge

  rule           = aws_cloudwatch_event_rule.this[each.key].name
  event_bus_name = each.value.bus
  target_id      = "event-listener"
  arn            = module.function.arn

  # An event doesn't name the rule that matched it, so the rule adds the name of the source. jsonencode() around
  # the whole template would escape the angle brackets.
  input_transformer {
    input_template = "{\"event_harness_source\": ${jsonencode(each.key)}, \"event\": <aws.events.event.json>}"
  }

  depends_on = [aws_lambda_permission.rule]
}

# --- SQS: polled ---

resource "aws_lambda_event_source_mapping" "queue" {
  for_each = { for name, source in local.by_type.sqs : name => source if source.mapping }

  event_source_arn = each.value.queue_arn
  function_name    = module.function.arn
  # A batch of one can't fail in part. A larger batch needs `function_response_types`, which provider 3.39
  # doesn't know: without it one bad message would return, and finally discard, the good ones in its batch.
  # With a newer provider you can declare your own mapping (`mapping = false`).
  batch_size = 1
}

# --- DynamoDB and Kinesis: polled ---

resource "aws_lambda_event_source_mapping" "stream" {
  for_each = { for name, source in merge(local.by_type.dynamodb, local.by_type.kinesis) : name => source if source.mapping }

  event_source_arn = each.value.stream_arn
  function_name    = module.function.arn
  batch_size       = 100
  # Starts at the oldest record: "LATEST" would miss records that are sent before polling begins.
  starting_position = "TRIM_HORIZON"
  # A failed batch is halved until the bad record is alone. This replaces `function_response_types`, see above.
  bisect_batch_on_function_error = true
  maximum_retry_attempts         = 3
  maximum_record_age_in_seconds  = 300 # otherwise one bad record would block its shard for a day

  destination_config {
    on_failure {
      destination_arn = module.function.failure_queue_arn
    }
  }
}
