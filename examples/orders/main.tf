locals {
  name            = "${var.name_prefix}-${terraform.workspace}"
  timeout_seconds = 10 # for one attempt to confirm an order
}

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      Application = var.name_prefix
      Environment = terraform.workspace
      ManagedBy   = "terraform"
    }
  }
}

# --- SNS: where orders are placed ---

resource "aws_sns_topic" "placed" {
  name              = "${local.name}-placed"
  kms_master_key_id = "alias/aws/sns"
}

resource "aws_sns_topic_subscription" "placed" {
  topic_arn            = aws_sns_topic.placed.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.inbox.arn
  raw_message_delivery = true # the message as it was published, with its attributes
  redrive_policy       = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead_letters.arn })

  depends_on = [aws_sqs_queue_policy.placed, aws_sqs_queue_policy.dead_letters]
}

# --- SQS: where orders wait ---

# SQS encrypts both queues with its own key, which is the default. SNS can't write to a queue with the key
# "alias/aws/sqs": AWS owns that key's policy.
resource "aws_sqs_queue" "inbox" {
  #checkov:skip=CKV_AWS_27:encrypted by SQS itself (SSE-SQS), see above
  name                       = "${local.name}-placed"
  visibility_timeout_seconds = 6 * local.timeout_seconds # as AWS recommends

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = 3
  })
}

resource "aws_sqs_queue" "dead_letters" {
  #checkov:skip=CKV_AWS_27:encrypted by SQS itself (SSE-SQS), see above
  name                      = "${local.name}-dead-letters"
  message_retention_seconds = 14 * 24 * 60 * 60
}

data "aws_iam_policy_document" "from_sns" {
  for_each = { placed = aws_sqs_queue.inbox.arn, dead_letters = aws_sqs_queue.dead_letters.arn }

  statement {
    sid       = "FromTheTopic"
    actions   = ["sqs:SendMessage"]
    resources = [each.value]

    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_sns_topic.placed.arn]
    }
  }
}

resource "aws_sqs_queue_policy" "placed" {
  queue_url = aws_sqs_queue.inbox.id
  policy    = data.aws_iam_policy_document.from_sns["placed"].json
}

resource "aws_sqs_queue_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id
  policy    = data.aws_iam_policy_document.from_sns["dead_letters"].json
}

# --- EventBridge: where other systems receive confirmed orders ---

resource "aws_cloudwatch_event_bus" "shop" {
  name = "${local.name}-shop"
}
