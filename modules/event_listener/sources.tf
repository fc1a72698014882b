# How each type of source reaches the listener.

data "aws_caller_identity" "current" {}

locals {
  by_type = {
    for type in ["s3", "sqs", "sns", "eventbridge", "dynamodb", "kinesis"] :
    type => { for name, source in var.sources : name => source if source.type == type }
  }
}

# --- S3 ---

resource "aws_lambda_permission" "bucket" {
  for_each = local.by_type.s3

  statement_id   = "AllowBucket-${each.key}"
  action         = "lambda:InvokeFunction"
  function_name  = module.function.name
  principal      = "s3.amazonaws.com"
  source_arn     = "arn:${data.aws_partition.current.partition}:s3:::${each.value.bucket}"
  source_account = data.aws_caller_identity.current.account_id # a bucket's ARN carries none
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

  lifecycle {
    # A bucket has one notification: of two resources the later one would silently replace the other.
    precondition {
      condition     = length([for _, source in local.by_type.s3 : source if source.bucket == each.value.bucket]) == 1
      error_message = "Two sources name the bucket ${each.value.bucket}: make them one source with several `filters`."
    }
  }

  # S3 tries the permission when the notification is made.
  depends_on = [aws_lambda_permission.bucket]
}
