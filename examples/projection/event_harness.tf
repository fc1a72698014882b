# All test resources. Nothing in the system refers to them.
module "event_listener" {
  # In your own project: "git::https://github.com/your-org/event-harness.git//modules/event_listener?ref=v0.1.0"
  source = "../../modules/event_listener"
  count  = var.deploy_test_resources ? 1 : 0

  name                 = local.name
  runtime              = var.runtime
  permissions_boundary = var.permissions_boundary

  # The id of a test's customer is its correlation id: the key of both tables.
  sources = {
    directory = { type = "dynamodb", stream_arn = aws_dynamodb_table.directory.stream_arn }
  }

  components = [
    { name = "customers", type = "dynamodb", table = aws_dynamodb_table.customers.name },
    {
      name              = "project_customer"
      type              = "lambda"
      function          = aws_lambda_function.project_customer.function_name
      log_group         = aws_cloudwatch_log_group.project_customer.name
      failure_queue_url = aws_sqs_queue.failures.id
    },
    { name = "directory", type = "dynamodb", table = aws_dynamodb_table.directory.name },
  ]
}
