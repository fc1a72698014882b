locals {
  emulated = data.aws_caller_identity.current.account_id == "000000000000"

  # For each source: the value that identifies its events, and the place of the correlation id (by default or
  # from `correlation`).
  sources = {
    for name, source in var.sources : name => {
      type = source.type
      match = {
        s3          = source.bucket
        sqs         = source.queue_arn
        sns         = source.topic_arn
        eventbridge = name
        dynamodb    = source.stream_arn
        kinesis     = source.stream_arn
      }[source.type]
      correlation = source.correlation != null ? source.correlation : {
        s3          = { from = "key", at = null }
        sqs         = { from = "attribute", at = "correlation_id" }
        sns         = { from = "attribute", at = "correlation_id" }
        eventbridge = { from = "body", at = "correlation_id" }
        dynamodb    = { from = "key", at = null }
        kinesis     = { from = "key", at = null }
      }[source.type]
      # The emulator treats a stream's partial batch response as success, so the listener raises an error there.
      partial = source.partial_batch_responses && (source.type == "sqs" || !local.emulated) ? true : null
      unwrap  = source.unwrap ? null : false
      decode  = length(source.decode) > 0 ? source.decode : null
    }
  }
  # Without `correlation` the listener looks in all usual places.
  sources_json = jsonencode({
    for name, source in local.sources : name => {
      for field, value in source : field => value
      if value != null && (field != "correlation" || var.sources[name].correlation != null)
    }
  })
  result_ttl_days = ceil(var.result_ttl_hours / 24)
}

module "function" {
  source = "../lambda_function"

  name                 = "${var.name}-event-listener"
  description          = "Test resource: stores the events of the system under test in the results table."
  source_dir           = "${path.module}/../../functions/event_listener"
  runtime              = var.runtime
  permissions_boundary = var.permissions_boundary
  memory_mb            = 512
  # Not more than the default visibility timeout of a queue: Lambda refuses a queue whose messages become
  # visible again while the function still processes them.
  timeout_seconds        = 30
  failure_retention_days = 1
  log_retention_days     = var.log_retention_days
  policy                 = data.aws_iam_policy_document.this.json

  environment = {
    RESULTS_TABLE      = aws_dynamodb_table.results.name
    OVERFLOW_BUCKET    = module.overflow.name
    RESULT_TTL_SECONDS = var.result_ttl_hours * 60 * 60
    INLINE_LIMIT_BYTES = var.inline_limit_bytes
    RESULT_SHARDS      = var.result_shards
    SOURCES            = local.sources_json
  }
}

resource "aws_dynamodb_table" "results" {
  name         = "${var.name}-results"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "session_id"
  range_key    = "event_id"

  attribute {
    name = "session_id"
    type = "S"
  }

  attribute {
    name = "event_id"
    type = "S"
  }

  attribute {
    name = "received_at"
    type = "N"
  }

  # Local, because only a local index supports strongly consistent reads. It has all attributes but the body:
  # a query needs no more, and stays cheap.
  local_secondary_index {
    name            = "by_arrival"
    range_key       = "received_at"
    projection_type = "INCLUDE"
    non_key_attributes = [
      "first_received_at", "deliveries", "correlation_id", "source", "source_type", "event_time", "size",
      "body_kind", "overflow", "gone_reason", "metadata", "request_id",
    ]
  }

  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }

  #checkov:skip=CKV_AWS_28:the results of a test are useless after the test
  point_in_time_recovery {
    enabled = false
  }

  server_side_encryption {
    enabled = true
  }
}

# Holds bodies that are too large for an item.
module "overflow" {
  source = "../private_bucket"

  name_prefix       = "${var.name}-overflow-"
  ephemeral         = var.ephemeral
  expire_after_days = local.result_ttl_days + 1 # an object must outlive the result that names it
}
