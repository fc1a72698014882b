# A topic, a queue, a function and a queue behind it; a rule, a state machine and dead letters beside them. The
# variable `lacking` takes permissions away.

locals {
  name  = "lacking-${terraform.workspace}"
  wired = !contains(var.lacking, "wiring")
}

provider "aws" {}

resource "aws_sns_topic" "placed" {
  name = "${local.name}-placed"
}

resource "aws_sqs_queue" "inbox" {
  name                       = "${local.name}-inbox"
  visibility_timeout_seconds = 6
}

resource "aws_sqs_queue" "confirmed" {
  name = "${local.name}-confirmed"
}

resource "aws_sqs_queue" "failures" {
  name = "${local.name}-failures"
}

resource "aws_sns_topic_subscription" "inbox" {
  topic_arn            = aws_sns_topic.placed.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.inbox.arn
  raw_message_delivery = true
}

data "aws_iam_policy_document" "inbox" {
  # A refusal of plain http, as many systems have it, touches nobody here.
  statement {
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [aws_sqs_queue.inbox.arn]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.inbox.arn]

    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [local.wired ? aws_sns_topic.placed.arn : "${aws_sns_topic.placed.arn}-old"]
    }
  }
}

resource "aws_sqs_queue_policy" "inbox" {
  queue_url = aws_sqs_queue.inbox.id
  policy    = data.aws_iam_policy_document.inbox.json
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = concat(["lambda.amazonaws.com"], local.wired ? ["states.amazonaws.com"] : [])
    }
  }
}

resource "aws_iam_role" "confirm" {
  name               = "${local.name}-confirm"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.confirm.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

data "aws_iam_policy_document" "confirm" {
  statement {
    actions   = concat(["sqs:ReceiveMessage", "sqs:GetQueueAttributes"], local.wired ? ["sqs:DeleteMessage"] : [])
    resources = [aws_sqs_queue.inbox.arn]
  }

  dynamic "statement" {
    for_each = contains(var.lacking, "sending") ? [] : [aws_sqs_queue.confirmed.arn]

    content {
      actions   = ["sqs:SendMessage"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = local.wired ? [1] : []

    content {
      actions   = ["sqs:SendMessage"]
      resources = [aws_sqs_queue.failures.arn]
    }
  }

  dynamic "statement" {
    for_each = local.wired ? [1] : []

    content {
      actions   = ["lambda:InvokeFunction"]
      resources = [aws_lambda_function.confirm.arn]
    }
  }
}

resource "aws_iam_role_policy" "confirm" {
  name   = "confirm"
  role   = aws_iam_role.confirm.id
  policy = data.aws_iam_policy_document.confirm.json
}

data "archive_file" "confirm" {
  type        = "zip"
  output_path = "${path.root}/.build/confirm.zip"

  source {
    filename = "app.py"
    content  = file("${path.module}/functions/confirm.py")
  }
}

resource "aws_lambda_function" "confirm" {
  function_name    = "${local.name}-confirm"
  role             = aws_iam_role.confirm.arn
  filename         = data.archive_file.confirm.output_path
  source_code_hash = data.archive_file.confirm.output_base64sha256
  handler          = "app.handler"
  runtime          = var.runtime
  timeout          = 6

  environment {
    variables = { QUEUE = aws_sqs_queue.confirmed.id }
  }
}

resource "aws_lambda_event_source_mapping" "inbox" {
  event_source_arn = aws_sqs_queue.inbox.arn
  function_name    = aws_lambda_function.confirm.arn
  batch_size       = 1
}

resource "aws_lambda_function_event_invoke_config" "confirm" {
  function_name = aws_lambda_function.confirm.function_name

  destination_config {
    on_failure {
      destination = aws_sqs_queue.failures.arn
    }
  }
}

resource "aws_cloudwatch_event_rule" "nightly" {
  name                = "${local.name}-nightly"
  schedule_expression = "cron(0 2 1 1 ? 2099)"
}

resource "aws_cloudwatch_event_target" "nightly" {
  rule = aws_cloudwatch_event_rule.nightly.name
  arn  = aws_lambda_function.confirm.arn
}

resource "aws_lambda_permission" "nightly" {
  count = local.wired ? 1 : 0

  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.confirm.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.nightly.arn
}

resource "aws_sfn_state_machine" "checkout" {
  name     = "${local.name}-checkout"
  role_arn = aws_iam_role.confirm.arn

  definition = jsonencode({
    StartAt = "Confirm"
    States = {
      Confirm = {
        Type       = "Task"
        Resource   = "arn:aws:states:::lambda:invoke"
        Parameters = { FunctionName = aws_lambda_function.confirm.arn, "Payload.$" = "$" }
        End        = true
      }
    }
  })
}

module "event_listener" {
  source = "../../../../modules/event_listener"
  count  = var.deploy_test_resources ? 1 : 0

  name    = local.name
  runtime = var.runtime
  sources = { confirmed = { type = "sqs", queue_arn = aws_sqs_queue.confirmed.arn } }

  components = [
    { name = "placed", type = "sns", topic_arn = aws_sns_topic.placed.arn },
    { name = "inbox", type = "sqs", queue_url = aws_sqs_queue.inbox.id },
    { name = "confirm", type = "lambda", function = aws_lambda_function.confirm.function_name },
    { name = "confirmed", type = "sqs", queue_url = aws_sqs_queue.confirmed.id },
  ]
}
