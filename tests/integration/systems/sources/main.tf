# Every type of source except Kinesis. The component that the producer sends to is also the source.

locals {
  name = "sources-${terraform.workspace}"
}

provider "aws" {}

# --- S3 ---

resource "aws_s3_bucket" "objects" {
  bucket_prefix = "objects-${terraform.workspace}-"
  force_destroy = true
}

resource "aws_s3_bucket" "documents" {
  bucket_prefix = "documents-${terraform.workspace}-"
  force_destroy = true
}

resource "aws_s3_bucket" "archive" {
  bucket_prefix = "archive-${terraform.workspace}-"
  force_destroy = true
}

# --- SQS ---

resource "aws_sqs_queue" "letters" {
  name = "${local.name}-letters"
}

resource "aws_sqs_queue" "parcels" {
  name = "${local.name}-parcels"
}

# --- SNS ---

resource "aws_sns_topic" "news" {
  name = "${local.name}-news"
}

# --- EventBridge: one bus, shared ---

resource "aws_cloudwatch_event_bus" "company" {
  name = "${local.name}-company"
}

# --- DynamoDB ---

resource "aws_dynamodb_table" "customers" {
  name             = "${local.name}-customers"
  billing_mode     = "PAY_PER_REQUEST"
  hash_key         = "customer_id"
  stream_enabled   = true
  stream_view_type = "NEW_AND_OLD_IMAGES"

  attribute {
    name = "customer_id"
    type = "S"
  }
}

resource "aws_dynamodb_table" "bookings" {
  name             = "${local.name}-bookings"
  billing_mode     = "PAY_PER_REQUEST"
  hash_key         = "account"
  range_key        = "booking_id"
  stream_enabled   = true
  stream_view_type = "NEW_AND_OLD_IMAGES"

  attribute {
    name = "account"
    type = "S"
  }

  attribute {
    name = "booking_id"
    type = "S"
  }
}

module "event_listener" {
  source = "../../../../modules/event_listener"

  name               = local.name
  runtime            = var.runtime
  inline_limit_bytes = var.inline_limit_bytes

  sources = {
    objects   = { type = "s3", bucket = aws_s3_bucket.objects.id }
    documents = { type = "s3", bucket = aws_s3_bucket.documents.id, filters = [{ prefix = "in/", suffix = ".json" }, { suffix = ".txt" }], correlation = { from = "body", at = "order.id" } }
    archive   = { type = "s3", bucket = aws_s3_bucket.archive.id, correlation = { from = "key", at = "out/*.json" } }
    letters   = { type = "sqs", queue_arn = aws_sqs_queue.letters.arn }
    parcels   = { type = "sqs", queue_arn = aws_sqs_queue.parcels.arn, correlation = { from = "body", at = "order.id" } }
    news      = { type = "sns", topic_arn = aws_sns_topic.news.arn, correlation = { from = "attribute", at = "trace_id" } }
    shop      = { type = "eventbridge", bus = aws_cloudwatch_event_bus.company.name, pattern = jsonencode({ source = ["shop"] }), correlation = { from = "body", at = "order.id" } }
    audit     = { type = "eventbridge", bus = aws_cloudwatch_event_bus.company.name, pattern = jsonencode({ "detail-type" = ["audit"] }) }
    customers = { type = "dynamodb", stream_arn = aws_dynamodb_table.customers.stream_arn }
    bookings  = { type = "dynamodb", stream_arn = aws_dynamodb_table.bookings.stream_arn, correlation = { from = "key", at = "booking_id" } }
  }

  components = [
    { name = "objects", type = "s3", bucket = aws_s3_bucket.objects.id },
    { name = "documents", type = "s3", bucket = aws_s3_bucket.documents.id },
    { name = "archive", type = "s3", bucket = aws_s3_bucket.archive.id },
    { name = "letters", type = "sqs", queue_url = aws_sqs_queue.letters.id },
    { name = "parcels", type = "sqs", queue_url = aws_sqs_queue.parcels.id },
    { name = "news", type = "sns", topic_arn = aws_sns_topic.news.arn },
    { name = "company", type = "eventbridge", bus = aws_cloudwatch_event_bus.company.name },
    { name = "customers", type = "dynamodb", table = aws_dynamodb_table.customers.name },
    { name = "bookings", type = "dynamodb", table = aws_dynamodb_table.bookings.name },
  ]
}
