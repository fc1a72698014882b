# Two functions in a row, joined by a queue: one from a directory, one from a file that its archive renames.

locals {
  name = "parcels-${terraform.workspace}"

  functions = {
    sorter = { queue = aws_sqs_queue.parcels.arn, archive = data.archive_file.sorter }
    loader = { queue = aws_sqs_queue.heavy.arn, archive = data.archive_file.loader }
  }
}

provider "aws" {}

resource "aws_sqs_queue" "parcels" {
  name                       = "${local.name}-parcels"
  visibility_timeout_seconds = 60 # a busy machine starts a function in many seconds
}

resource "aws_sqs_queue" "heavy" {
  name                       = "${local.name}-heavy"
  visibility_timeout_seconds = 20

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = 1
  })
}

resource "aws_sqs_queue" "dead" {
  name = "${local.name}-dead"
}

resource "aws_sqs_queue" "sorted" {
  name = "${local.name}-sorted"
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

resource "aws_iam_role" "functions" {
  name               = "${local.name}-functions"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

data "aws_iam_policy_document" "functions" {
  statement {
    actions   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage"]
    resources = [aws_sqs_queue.parcels.arn, aws_sqs_queue.heavy.arn, aws_sqs_queue.sorted.arn]
  }
}

resource "aws_iam_role_policy" "functions" {
  name   = "functions"
  role   = aws_iam_role.functions.id
  policy = data.aws_iam_policy_document.functions.json
}

data "archive_file" "sorter" {
  type        = "zip"
  source_dir  = "${path.module}/functions/sorter"
  output_path = "${path.root}/.build/sorter.zip"
}

data "archive_file" "loader" {
  type        = "zip"
  output_path = "${path.root}/.build/loader.zip"

  source {
    filename = "app.py"
    content  = file("${path.module}/functions/loader.py")
  }
}

resource "aws_lambda_function" "functions" {
  for_each = local.functions

  function_name    = "${local.name}-${each.key}"
  role             = aws_iam_role.functions.arn
  filename         = each.value.archive.output_path
  source_code_hash = each.value.archive.output_base64sha256
  handler          = "app.handler"
  runtime          = var.runtime
  timeout          = 3

  environment {
    variables = { HEAVY = aws_sqs_queue.heavy.id, SORTED = aws_sqs_queue.sorted.id }
  }
}

resource "aws_lambda_event_source_mapping" "functions" {
  for_each = local.functions

  event_source_arn = each.value.queue
  function_name    = aws_lambda_function.functions[each.key].arn
  batch_size       = 1
}

module "event_listener" {
  source = "../../../../modules/event_listener"

  name    = local.name
  runtime = var.runtime
  sources = { sorted = { type = "sqs", queue_arn = aws_sqs_queue.sorted.arn } }

  components = [
    { name = "parcels", type = "sqs", queue_url = aws_sqs_queue.parcels.id },
    { name = "sorter", type = "lambda", function = aws_lambda_function.functions["sorter"].function_name },
    { name = "heavy", type = "sqs", queue_url = aws_sqs_queue.heavy.id, failure_queue_url = aws_sqs_queue.dead.id },
    { name = "loader", type = "lambda", function = aws_lambda_function.functions["loader"].function_name },
    { name = "sorted", type = "sqs", queue_url = aws_sqs_queue.sorted.id },
  ]
}
