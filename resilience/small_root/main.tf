# A system of a few resources of the kinds that matter to a sweep, made within seconds: for kills by the dozen.

locals {
  name = "resilience-${terraform.workspace}"
}

# Made first and tagged a moment later: killed in between, it carries nothing but its name.
resource "aws_s3_bucket" "this" {
  bucket_prefix = "${local.name}-"
  force_destroy = true
}

resource "aws_sqs_queue" "this" {
  name = local.name
}

resource "aws_sns_topic" "this" {
  name = local.name
}

resource "aws_sns_topic_subscription" "this" {
  topic_arn = aws_sns_topic.this.arn
  protocol  = "sqs"
  endpoint  = aws_sqs_queue.this.arn
}

resource "aws_dynamodb_table" "this" {
  name         = local.name
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"

  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name = "/resilience/${local.name}"
}

resource "aws_cloudwatch_event_rule" "this" {
  name          = local.name
  event_pattern = jsonencode({ source = ["resilience"] })
}

resource "aws_cloudwatch_event_target" "this" {
  rule = aws_cloudwatch_event_rule.this.name
  arn  = aws_sqs_queue.this.arn
}

resource "aws_iam_role" "this" {
  name = local.name

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "access"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sqs:SendMessage", Resource = aws_sqs_queue.this.arn }]
  })
}

# Without it AWS would deliver nothing, and a session refuses the system.
resource "aws_sqs_queue_policy" "this" {
  queue_url = aws_sqs_queue.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for service, source in {
      events = aws_cloudwatch_event_rule.this.arn
      sns    = aws_sns_topic.this.arn
      } : {
      Effect    = "Allow"
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.this.arn
      Principal = { Service = "${service}.amazonaws.com" }
      Condition = { ArnEquals = { "aws:SourceArn" = source } }
    }]
  })
}

output "bucket" {
  description = "Name of the bucket that the test fills, so that a sweep has to empty it."
  value       = aws_s3_bucket.this.bucket
}
