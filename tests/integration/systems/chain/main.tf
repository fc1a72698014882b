# A chain that forks: a queue with dead letters by redrive, a function, a topic, two functions that share a
# failure queue, a table with a stream and a queue.

locals {
  name = "chain-${terraform.workspace}"

  functions = {
    price  = { TOPIC = aws_sns_topic.news.arn }
    audit  = { TABLE = aws_dynamodb_table.ledger.name }
    notify = { QUEUE = aws_sqs_queue.told.id }
  }
}

provider "aws" {}

resource "aws_sqs_queue" "orders" {
  name                       = "${local.name}-orders"
  visibility_timeout_seconds = 10 # a slow machine starts a function in seconds

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = 2
  })
}

resource "aws_sqs_queue" "dead" {
  name = "${local.name}-dead"
}

resource "aws_sns_topic" "news" {
  name = "${local.name}-news"
}

resource "aws_sqs_queue" "failures" {
  name = "${local.name}-failures"
}

resource "aws_dynamodb_table" "ledger" {
  name             = "${local.name}-ledger"
  billing_mode     = "PAY_PER_REQUEST"
  hash_key         = "id"
  stream_enabled   = true
  stream_view_type = "NEW_IMAGE"

  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_sqs_queue" "told" {
  name = "${local.name}-told"
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
    actions = [
      "dynamodb:PutItem",
      "logs:CreateLogGroup",
      "logs:CreateLogStream",
      "logs:PutLogEvents",
      "sns:Publish",
      "sqs:DeleteMessage",
      "sqs:GetQueueAttributes",
      "sqs:ReceiveMessage",
      "sqs:SendMessage",
    ]
    resources = ["*"]
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

data "archive_file" "functions" {
  for_each = local.functions

  type        = "zip"
  output_path = "${path.root}/.build/${each.key}.zip"

  source {
    filename = "app.py"
    content  = file("${path.module}/functions/${each.key}.py")
  }
}

resource "aws_lambda_function" "functions" {
  for_each = local.functions

  function_name    = "${local.name}-${each.key}"
  role             = aws_iam_role.functions.arn
  filename         = data.archive_file.functions[each.key].output_path
  source_code_hash = data.archive_file.functions[each.key].output_base64sha256
  handler          = "app.handler"
  runtime          = var.runtime
  timeout          = 6

  environment {
    variables = each.value
  }
}

resource "aws_lambda_event_source_mapping" "orders" {
  event_source_arn = aws_sqs_queue.orders.arn
  function_name    = aws_lambda_function.functions["price"].arn
  batch_size       = 10
}

resource "aws_sns_topic_subscription" "news" {
  for_each = toset(["audit", "notify"])

  topic_arn = aws_sns_topic.news.arn
  protocol  = "lambda"
  endpoint  = aws_lambda_function.functions[each.key].arn
}

resource "aws_lambda_permission" "news" {
  for_each = toset(["audit", "notify"])

  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.functions[each.key].function_name
  principal     = "sns.amazonaws.com"
  source_arn    = aws_sns_topic.news.arn
}

resource "aws_lambda_function_event_invoke_config" "news" {
  for_each = toset(["audit", "notify"])

  function_name          = aws_lambda_function.functions[each.key].function_name
  maximum_retry_attempts = 0

  destination_config {
    on_failure {
      destination = aws_sqs_queue.failures.arn
    }
  }
}

module "event_listener" {
  source = "../../../../modules/event_listener"

  name    = local.name
  runtime = var.runtime

  sources = {
    ledger = { type = "dynamodb", stream_arn = aws_dynamodb_table.ledger.stream_arn }
    told   = { type = "sqs", queue_arn = aws_sqs_queue.told.arn }
  }

  components = [
    {
      name              = "orders"
      type              = "sqs"
      queue_url         = aws_sqs_queue.orders.id
      failure_queue_url = aws_sqs_queue.dead.id
    },
    { name = "price", type = "lambda", function = aws_lambda_function.functions["price"].function_name },
    { name = "news", type = "sns", topic_arn = aws_sns_topic.news.arn },
    {
      name              = "audit"
      type              = "lambda"
      function          = aws_lambda_function.functions["audit"].function_name
      failure_queue_url = aws_sqs_queue.failures.id
    },
    {
      name              = "notify"
      type              = "lambda"
      function          = aws_lambda_function.functions["notify"].function_name
      failure_queue_url = aws_sqs_queue.failures.id
    },
    { name = "ledger", type = "dynamodb", table = aws_dynamodb_table.ledger.name },
    { name = "told", type = "sqs", queue_url = aws_sqs_queue.told.id },
  ]
}
