# Buckets, a topic and a bus that wrap bodies on their way to the listener.

locals {
  name = "wrappings-${terraform.workspace}"
}

provider "aws" {}

# --- A bucket with versions notifies a queue. ---

resource "aws_s3_bucket" "uploads" {
  bucket_prefix = "uploads-${terraform.workspace}-"
  force_destroy = true

  versioning {
    enabled = true
  }
}

resource "aws_sqs_queue" "uploads" {
  name = "${local.name}-uploads"
}

data "aws_iam_policy_document" "uploads" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.uploads.arn]

    principals {
      type        = "Service"
      identifiers = ["s3.amazonaws.com"]
    }
  }
}

resource "aws_sqs_queue_policy" "uploads" {
  queue_url = aws_sqs_queue.uploads.id
  policy    = data.aws_iam_policy_document.uploads.json
}

resource "aws_s3_bucket_notification" "uploads" {
  bucket = aws_s3_bucket.uploads.id

  queue {
    queue_arn = aws_sqs_queue.uploads.arn
    events    = ["s3:ObjectCreated:*"]
  }

  depends_on = [aws_sqs_queue_policy.uploads]
}

# --- A bucket notifies a topic, which has a queue and the listener. ---

resource "aws_s3_bucket" "scans" {
  bucket_prefix = "scans-${terraform.workspace}-"
  force_destroy = true
}

resource "aws_sns_topic" "scans" {
  name = "${local.name}-scans"
}

data "aws_iam_policy_document" "scans" {
  statement {
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.scans.arn]

    principals {
      type        = "Service"
      identifiers = ["s3.amazonaws.com"]
    }
  }
}

resource "aws_sns_topic_policy" "scans" {
  arn    = aws_sns_topic.scans.arn
  policy = data.aws_iam_policy_document.scans.json
}

resource "aws_s3_bucket_notification" "scans" {
  bucket = aws_s3_bucket.scans.id

  topic {
    topic_arn = aws_sns_topic.scans.arn
    events    = ["s3:ObjectCreated:*"]
  }

  depends_on = [aws_sns_topic_policy.scans]
}

resource "aws_sqs_queue" "copies" {
  name = "${local.name}-copies"
}

resource "aws_sns_topic_subscription" "copies" {
  topic_arn = aws_sns_topic.scans.arn
  protocol  = "sqs"
  endpoint  = aws_sqs_queue.copies.arn
}

data "aws_iam_policy_document" "copies" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.copies.arn]

    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com", "events.amazonaws.com"]
    }
  }
}

resource "aws_sqs_queue_policy" "copies" {
  queue_url = aws_sqs_queue.copies.id
  policy    = data.aws_iam_policy_document.copies.json
}

# --- A bus has a rule to the same queue. ---

resource "aws_cloudwatch_event_bus" "shop" {
  name = "${local.name}-shop"
}

resource "aws_cloudwatch_event_rule" "shop" {
  name           = "${local.name}-shop"
  event_bus_name = aws_cloudwatch_event_bus.shop.name
  event_pattern  = jsonencode({ source = ["shop"] })
}

resource "aws_cloudwatch_event_target" "shop" {
  rule           = aws_cloudwatch_event_rule.shop.name
  event_bus_name = aws_cloudwatch_event_bus.shop.name
  arn            = aws_sqs_queue.copies.arn
}

# --- A bucket tells EventBridge. (Provider 3.39 can't switch that on: the test does.) ---

resource "aws_s3_bucket" "reports" {
  bucket_prefix = "reports-${terraform.workspace}-"
  force_destroy = true
}

# --- Messages of the test's own, and a bucket that the listener may not read. ---

resource "aws_sqs_queue" "parcels" {
  name = "${local.name}-parcels"
}

resource "aws_s3_bucket" "large" {
  bucket_prefix = "large-${terraform.workspace}-"
  force_destroy = true
}

module "event_listener" {
  source = "../../../../modules/event_listener"

  name         = local.name
  runtime      = var.runtime
  read_buckets = [aws_s3_bucket.uploads.id, aws_s3_bucket.scans.id, aws_s3_bucket.reports.id, aws_s3_bucket.large.id]

  sources = {
    uploads = { type = "sqs", queue_arn = aws_sqs_queue.uploads.arn }
    scans   = { type = "sns", topic_arn = aws_sns_topic.scans.arn }
    copies  = { type = "sqs", queue_arn = aws_sqs_queue.copies.arn }
    reports = {
      type        = "eventbridge"
      pattern     = jsonencode({ source = ["aws.s3"], detail = { bucket = { name = [aws_s3_bucket.reports.id] } } })
      correlation = { from = "key", at = "reports/*.json" }
    }
    parcels = { type = "sqs", queue_arn = aws_sqs_queue.parcels.arn }
  }

  components = [
    { name = "uploads", type = "s3", bucket = aws_s3_bucket.uploads.id },
    { name = "scans", type = "s3", bucket = aws_s3_bucket.scans.id },
    { name = "news", type = "sns", topic_arn = aws_sns_topic.scans.arn },
    { name = "shop", type = "eventbridge", bus = aws_cloudwatch_event_bus.shop.name },
    { name = "reports", type = "s3", bucket = aws_s3_bucket.reports.id },
    { name = "parcels", type = "sqs", queue_url = aws_sqs_queue.parcels.id },
    { name = "large", type = "s3", bucket = aws_s3_bucket.large.id },
  ]
}
