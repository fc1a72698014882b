# A chain of three functions, whose code is packed in three ways: first and last share the archive of a
# directory, the middle one is packed from a single text.

locals {
  name   = "edited-${terraform.workspace}"
  queues = toset(["first", "middle", "last", "out"])

  functions = {
    first  = { archive = data.archive_file.directory, handler = "app.first", next = "middle" }
    middle = { archive = data.archive_file.text, handler = "middle.handler", next = "last" }
    last   = { archive = data.archive_file.directory, handler = "app.last", next = "out" }
  }
}

provider "aws" {}

resource "aws_sqs_queue" "steps" {
  for_each = local.queues

  name                       = "${local.name}-${each.key}"
  visibility_timeout_seconds = 6
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "functions" {
  statement {
    actions   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage"]
    resources = [for queue in aws_sqs_queue.steps : queue.arn]
  }
}

resource "aws_iam_role" "functions" {
  name               = "${local.name}-functions"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "functions" {
  name   = "functions"
  role   = aws_iam_role.functions.id
  policy = data.aws_iam_policy_document.functions.json
}

data "archive_file" "directory" {
  type             = "zip"
  source_dir       = "${path.module}/functions/first"
  excludes         = ["notes.txt"]
  output_file_mode = "0644"
  output_path      = "${path.root}/.build/directory.zip"
}

data "archive_file" "text" {
  type        = "zip"
  output_path = "${path.root}/.build/text.zip"

  source {
    filename = "middle.py"
    content  = file("${path.module}/functions/middle.py")
  }
}

resource "aws_lambda_function" "steps" {
  for_each = local.functions

  function_name    = "${local.name}-${each.key}"
  role             = aws_iam_role.functions.arn
  filename         = each.value.archive.output_path
  source_code_hash = each.value.archive.output_base64sha256
  handler          = each.value.handler
  runtime          = var.runtime
  timeout          = 6

  environment {
    variables = { NEXT = aws_sqs_queue.steps[each.value.next].id }
  }
}

resource "aws_lambda_event_source_mapping" "steps" {
  for_each = local.functions

  event_source_arn = aws_sqs_queue.steps[each.key].arn
  function_name    = aws_lambda_function.steps[each.key].arn
  batch_size       = 1
}

module "event_listener" {
  source = "../../../../modules/event_listener"
  count  = var.deploy_test_resources ? 1 : 0

  name    = local.name
  runtime = var.runtime

  sources = {
    out = {
      type        = "sqs"
      queue_arn   = aws_sqs_queue.steps["out"].arn
      correlation = { from = "body", at = "id" }
    }
  }

  components = [{ name = "first", type = "sqs", queue_url = aws_sqs_queue.steps["first"].id }]
}
