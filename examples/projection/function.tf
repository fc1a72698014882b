# --- Lambda: maintains the directory ---

data "aws_caller_identity" "current" {}

locals {
  # AWS emulators use this account. They have no Powertools layer; the library is installed beside them.
  emulated = data.aws_caller_identity.current.account_id == "000000000000"
}

data "aws_ssm_parameter" "powertools_layer" {
  count = local.emulated ? 0 : 1

  name = "/aws/service/powertools/python/x86_64/${var.runtime}/latest"
}

data "archive_file" "project_customer" {
  type        = "zip"
  source_dir  = "${path.module}/functions/project_customer"
  output_path = "${path.root}/.build/project_customer.zip"
  excludes    = ["**/__pycache__"]
}

resource "aws_lambda_function" "project_customer" {
  #checkov:skip=CKV_AWS_116:Lambda polls its stream; the mapping and the code send failed changes to the failure queue
  function_name    = "${local.name}-project-customer"
  description      = "Projects each change of a customer into the directory."
  role             = aws_iam_role.project_customer.arn
  filename         = data.archive_file.project_customer.output_path
  source_code_hash = data.archive_file.project_customer.output_base64sha256
  handler          = "app.handler"
  runtime          = var.runtime
  memory_size      = 256
  timeout          = 30
  layers           = [for parameter in data.aws_ssm_parameter.powertools_layer : nonsensitive(parameter.value)]

  environment {
    variables = {
      DIRECTORY_TABLE         = aws_dynamodb_table.directory.name
      FAILURE_QUEUE_URL       = aws_sqs_queue.failures.id
      POWERTOOLS_SERVICE_NAME = "project-customer"
    }
  }

  tracing_config {
    mode = "Active"
  }

  depends_on = [aws_cloudwatch_log_group.project_customer, aws_iam_role_policy.project_customer]
}

resource "aws_cloudwatch_log_group" "project_customer" {
  name              = "/aws/lambda/${local.name}-project-customer"
  retention_in_days = 30
}

resource "aws_lambda_event_source_mapping" "customers" {
  event_source_arn  = aws_dynamodb_table.customers.stream_arn
  function_name     = aws_lambda_function.project_customer.arn
  batch_size        = 100
  starting_position = "TRIM_HORIZON" # "LATEST" would miss changes before polling begins
  # A failed batch is halved until the bad change is alone. Lambda gives it up after some retries, otherwise it
  # would block its shard for a day. The queue then gets the position in the stream.
  bisect_batch_on_function_error = true
  maximum_retry_attempts         = 5
  maximum_record_age_in_seconds  = 3600

  destination_config {
    on_failure {
      destination_arn = aws_sqs_queue.failures.arn
    }
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

resource "aws_iam_role" "project_customer" {
  name                 = "${local.name}-project-customer"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  permissions_boundary = var.permissions_boundary
}

data "aws_iam_policy_document" "project_customer" {
  statement {
    sid       = "ReadChanges"
    actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
    resources = [aws_dynamodb_table.customers.stream_arn]
  }

  # ListStreams accepts only all streams of a table together.
  statement {
    sid       = "ListChanges"
    actions   = ["dynamodb:ListStreams"]
    resources = ["${aws_dynamodb_table.customers.arn}/stream/*"]
  }

  statement {
    sid       = "WriteDirectory"
    actions   = ["dynamodb:DeleteItem", "dynamodb:PutItem"]
    resources = [aws_dynamodb_table.directory.arn]
  }

  statement {
    sid       = "SendFailures"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.failures.arn]
  }

  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.project_customer.arn}:*"]
  }

  # These actions of X-Ray support no resources.
  statement {
    sid       = "WriteTraces"
    actions   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "project_customer" {
  name   = "access"
  role   = aws_iam_role.project_customer.id
  policy = data.aws_iam_policy_document.project_customer.json
}
