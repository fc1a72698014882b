# --- Lambda: confirms orders ---

data "aws_caller_identity" "current" {}

locals {
  # AWS emulators use this account. They have no Powertools layer; the library is installed beside them.
  emulated = data.aws_caller_identity.current.account_id == "000000000000"
}

data "aws_ssm_parameter" "powertools_layer" {
  count = local.emulated ? 0 : 1

  name = "/aws/service/powertools/python/x86_64/${var.runtime}/latest"
}

data "archive_file" "confirm_order" {
  type        = "zip"
  source_dir  = "${path.module}/functions/confirm_order"
  output_path = "${path.root}/.build/confirm_order.zip"
  excludes    = ["**/__pycache__"]
}

resource "aws_lambda_function" "confirm_order" {
  #checkov:skip=CKV_AWS_116:failed messages go to the dead-letter queue of its queue
  function_name    = "${local.name}-confirm-order"
  description      = "Confirms orders and announces them on the shop's event bus."
  role             = aws_iam_role.confirm_order.arn
  filename         = data.archive_file.confirm_order.output_path
  source_code_hash = data.archive_file.confirm_order.output_base64sha256
  handler          = "app.handler"
  runtime          = var.runtime
  memory_size      = 256
  timeout          = local.timeout_seconds
  layers           = [for parameter in data.aws_ssm_parameter.powertools_layer : nonsensitive(parameter.value)]

  environment {
    variables = {
      BUS                     = aws_cloudwatch_event_bus.shop.name
      DEAD_LETTER_QUEUE_URL   = aws_sqs_queue.dead_letters.id
      HANDLED_TABLE           = aws_dynamodb_table.handled.name
      POWERTOOLS_SERVICE_NAME = "confirm-order"
    }
  }

  tracing_config {
    mode = "Active"
  }

  depends_on = [aws_cloudwatch_log_group.confirm_order, aws_iam_role_policy.confirm_order]
}

resource "aws_cloudwatch_log_group" "confirm_order" {
  name              = "/aws/lambda/${local.name}-confirm-order"
  retention_in_days = 30
}

resource "aws_lambda_event_source_mapping" "placed" {
  event_source_arn = aws_sqs_queue.inbox.arn
  function_name    = aws_lambda_function.confirm_order.arn
  # The function reports which messages of a batch failed. Use larger batches only together with
  # `function_response_types = ["ReportBatchItemFailures"]`, which provider 3.39 doesn't know.
  batch_size = 1
}

# The orders that were confirmed. SNS and SQS deliver at least once; an order must be confirmed only once.
resource "aws_dynamodb_table" "handled" {
  #checkov:skip=CKV_AWS_28:its content is useless after a day
  name         = "${local.name}-handled"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"

  attribute {
    name = "id"
    type = "S"
  }

  ttl {
    attribute_name = "expiration"
    enabled        = true
  }

  server_side_encryption {
    enabled = true
  }
}

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

resource "aws_iam_role" "confirm_order" {
  name                 = "${local.name}-confirm-order"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = var.permissions_boundary
}

data "aws_iam_policy_document" "confirm_order" {
  statement {
    sid       = "TakeOrders"
    actions   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
    resources = [aws_sqs_queue.inbox.arn]
  }

  statement {
    sid       = "RefuseOrders"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.dead_letters.arn]
  }

  statement {
    sid       = "TellTheShop"
    actions   = ["events:PutEvents"]
    resources = [aws_cloudwatch_event_bus.shop.arn]
  }

  statement {
    sid       = "RememberWhatWasHandled"
    actions   = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
    resources = [aws_dynamodb_table.handled.arn]
  }

  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.confirm_order.arn}:*"]
  }

  # These actions of X-Ray support no resources.
  statement {
    sid       = "WriteTraces"
    actions   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "confirm_order" {
  name   = "access"
  role   = aws_iam_role.confirm_order.id
  policy = data.aws_iam_policy_document.confirm_order.json
}
