data "aws_iam_policy_document" "trust" {
  statement {
    sid     = "LambdaAssumesTheRole"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this" {
  name                 = var.name
  description          = "Role of the Lambda function ${var.name}."
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = var.permissions_boundary
}

locals {
  log_group_arn = split(":", aws_cloudwatch_log_group.this.arn) # arn:PARTITION:logs:REGION:ACCOUNT:…
  # Built from its name, so that the function doesn't wait for the queue: newer providers take 25 s to create one.
  failure_queue_arn = "arn:${local.log_group_arn[1]}:sqs:${local.log_group_arn[3]}:${local.log_group_arn[4]}:${local.failure_queue_name}"
}

data "aws_iam_policy_document" "this" {
  source_policy_documents = [var.policy]

  # logs:CreateLogGroup is not granted: the module declares the group, with its retention.
  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
  }

  statement {
    sid       = "SendFailures"
    actions   = ["sqs:SendMessage"]
    resources = [local.failure_queue_arn]
  }

  # These actions of X-Ray support no resources.
  statement {
    sid       = "WriteTraces"
    actions   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "this" {
  name   = "access"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.this.json
}
