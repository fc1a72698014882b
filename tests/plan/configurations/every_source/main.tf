# A user's system, and the module that listens to all its parts. Its names aren't known before apply. It has no
# Kinesis stream, which takes 40 s to create.

provider "aws" {}

resource "aws_s3_bucket" "reports" {
  bucket_prefix = "reports-"
  force_destroy = true

  lifecycle {
    ignore_changes = [server_side_encryption_configuration] # S3 encrypts by itself
  }
}

resource "aws_sqs_queue" "letters" {
  name = "letters"
}

resource "aws_sns_topic" "alarms" {
  name = "alarms"
}

resource "aws_cloudwatch_event_bus" "orders" {
  name = "orders"
}

resource "aws_dynamodb_table" "customers" {
  name             = "customers"
  billing_mode     = "PAY_PER_REQUEST"
  hash_key         = "id"
  stream_enabled   = true
  stream_view_type = "NEW_AND_OLD_IMAGES"

  attribute {
    name = "id"
    type = "S"
  }
}

module "event_listener" {
  source = "../../../../modules/event_listener"

  name = "every-source"

  sources = {
    reports   = { type = "s3", bucket = aws_s3_bucket.reports.id, filters = [{ prefix = "in/" }, { prefix = "out/", suffix = ".csv" }] }
    letters   = { type = "sqs", queue_arn = aws_sqs_queue.letters.arn, kms_key_arn = "arn:aws:kms:eu-west-1:000000000000:key/letters" }
    alarms    = { type = "sns", topic_arn = aws_sns_topic.alarms.arn, filter_policy = jsonencode({ level = ["high"] }) }
    orders    = { type = "eventbridge", bus = aws_cloudwatch_event_bus.orders.name, pattern = jsonencode({ source = ["orders"] }), correlation = { from = "body", at = "order.id" } }
    other     = { type = "eventbridge", pattern = jsonencode({ source = ["other"] }) }
    customers = { type = "dynamodb", stream_arn = aws_dynamodb_table.customers.stream_arn }
  }
}
