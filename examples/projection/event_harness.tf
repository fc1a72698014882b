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
}
