# An HTTP API, a REST API, a state machine and a function: each is where events can enter the system.

locals {
  name = "entrances-${terraform.workspace}"
}

provider "aws" {}

resource "aws_sqs_queue" "out" {
  name = "${local.name}-out"
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com", "states.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "relay" {
  statement {
    actions = [
      "lambda:InvokeFunction",
      "logs:CreateLogGroup",
      "logs:CreateLogStream",
      "logs:PutLogEvents",
      "sqs:SendMessage",
    ]
    resources = ["*"]
  }
}

resource "aws_iam_role" "relay" {
  name               = "${local.name}-relay"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "relay" {
  name   = "relay"
  role   = aws_iam_role.relay.id
  policy = data.aws_iam_policy_document.relay.json
}

data "archive_file" "relay" {
  type        = "zip"
  output_path = "${path.root}/.build/relay.zip"

  source {
    filename = "app.py"
    content  = file("${path.module}/functions/relay.py")
  }
}

resource "aws_lambda_function" "relay" {
  function_name    = "${local.name}-relay"
  role             = aws_iam_role.relay.arn
  filename         = data.archive_file.relay.output_path
  source_code_hash = data.archive_file.relay.output_base64sha256
  handler          = "app.handler"
  runtime          = var.runtime
  timeout          = 6

  environment {
    variables = { QUEUE = aws_sqs_queue.out.id }
  }
}

# --- An HTTP API ---

resource "aws_apigatewayv2_api" "orders" {
  name          = "${local.name}-orders"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_integration" "orders" {
  api_id                 = aws_apigatewayv2_api.orders.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.relay.arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "orders" {
  api_id    = aws_apigatewayv2_api.orders.id
  route_key = "ANY /orders/{proxy+}"
  target    = "integrations/${aws_apigatewayv2_integration.orders.id}"
}

resource "aws_apigatewayv2_stage" "orders" {
  api_id      = aws_apigatewayv2_api.orders.id
  name        = "$default"
  auto_deploy = true
}

resource "aws_lambda_permission" "orders" {
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.relay.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.orders.execution_arn}/*"
}

# --- A REST API ---

resource "aws_api_gateway_rest_api" "legacy" {
  name = "${local.name}-legacy"
}

resource "aws_api_gateway_resource" "legacy" {
  rest_api_id = aws_api_gateway_rest_api.legacy.id
  parent_id   = aws_api_gateway_rest_api.legacy.root_resource_id
  path_part   = "orders"
}

resource "aws_api_gateway_method" "legacy" {
  rest_api_id   = aws_api_gateway_rest_api.legacy.id
  resource_id   = aws_api_gateway_resource.legacy.id
  http_method   = "POST"
  authorization = "NONE"
}

resource "aws_api_gateway_integration" "legacy" {
  rest_api_id             = aws_api_gateway_rest_api.legacy.id
  resource_id             = aws_api_gateway_resource.legacy.id
  http_method             = aws_api_gateway_method.legacy.http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = aws_lambda_function.relay.invoke_arn
}

resource "aws_api_gateway_deployment" "legacy" {
  rest_api_id = aws_api_gateway_rest_api.legacy.id

  depends_on = [aws_api_gateway_integration.legacy]
}

resource "aws_api_gateway_stage" "legacy" {
  rest_api_id   = aws_api_gateway_rest_api.legacy.id
  deployment_id = aws_api_gateway_deployment.legacy.id
  stage_name    = "prod"
}

resource "aws_lambda_permission" "legacy" {
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.relay.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.legacy.execution_arn}/*"
}

# --- A state machine ---

resource "aws_sfn_state_machine" "checkout" {
  name     = "${local.name}-checkout"
  role_arn = aws_iam_role.relay.arn

  definition = jsonencode({
    StartAt = "Stamp"
    States = {
      Stamp = {
        Type       = "Pass"
        Parameters = { "correlation_id.$" = "$$.Execution.Name", "total.$" = "$.total" }
        Next       = "Relay"
      }
      Relay = { Type = "Task", Resource = aws_lambda_function.relay.arn, End = true }
    }
  })
}

module "event_listener" {
  source = "../../../../modules/event_listener"

  name    = local.name
  runtime = var.runtime
  sources = { out = { type = "sqs", queue_arn = aws_sqs_queue.out.arn } }

  components = [
    { name = "orders", type = "http", url = aws_apigatewayv2_stage.orders.invoke_url },
    { name = "legacy", type = "http", url = aws_api_gateway_stage.legacy.invoke_url },
    { name = "checkout", type = "stepfunctions", state_machine_arn = aws_sfn_state_machine.checkout.arn },
    { name = "relay", type = "lambda", function = aws_lambda_function.relay.function_name },
    { name = "out", type = "sqs", queue_url = aws_sqs_queue.out.id },
  ]
}
