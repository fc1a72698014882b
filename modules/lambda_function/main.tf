data "aws_caller_identity" "current" {}

locals {
  # AWS emulators use this account; no customer has it. They have neither the Powertools layer (the library is
  # installed beside them) nor its SSM parameter.
  emulated = data.aws_caller_identity.current.account_id == "000000000000"

  failure_queue_name = "${var.name}-failures"
}

data "archive_file" "code" {
  type             = "zip"
  source_dir       = var.source_dir
  output_path      = "${path.root}/.build/${var.name}.zip"
  output_file_mode = "0644" # otherwise the hash depends on the umask
  excludes         = ["**/__pycache__", "tests"]
}

data "aws_ssm_parameter" "powertools_layer" {
  count = local.emulated ? 0 : 1

  name = "/aws/service/powertools/python/x86_64/${var.runtime}/latest"
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_116:failed events go to the on-failure destination below, which also keeps the error

  function_name    = var.name
  description      = var.description
  role             = aws_iam_role.this.arn
  filename         = data.archive_file.code.output_path
  source_code_hash = data.archive_file.code.output_base64sha256
  handler          = "app.handler"
  runtime          = var.runtime
  memory_size      = var.memory_mb
  timeout          = var.timeout_seconds
  layers           = [for parameter in data.aws_ssm_parameter.powertools_layer : nonsensitive(parameter.value)]

  environment {
    variables = merge(var.environment, {
      POWERTOOLS_LOG_LEVEL    = "INFO"
      POWERTOOLS_SERVICE_NAME = var.name
    })
  }

  tracing_config {
    mode = "Active"
  }

  # Lambda creates a missing log group without retention when the function runs. A function that runs before its
  # permissions exist fails.
  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.this]
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_sqs_queue" "failures" {
  name                      = local.failure_queue_name
  message_retention_seconds = var.failure_retention_days * 24 * 60 * 60
  kms_master_key_id         = "alias/aws/sqs"
}

resource "aws_lambda_function_event_invoke_config" "this" {
  function_name                = aws_lambda_function.this.function_name
  maximum_retry_attempts       = var.retries
  maximum_event_age_in_seconds = var.max_event_age_seconds

  destination_config {
    on_failure {
      destination = aws_sqs_queue.failures.arn
    }
  }
}
