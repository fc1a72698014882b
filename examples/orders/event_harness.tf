# All test resources. Nothing in the system refers to them.
module "event_listener" {
  # In your own project: "git::https://github.com/your-org/event-harness.git//modules/event_listener?ref=v0.1.0"
  source = "../../modules/event_listener"
  count  = var.deploy_test_resources ? 1 : 0

  name                 = local.name
  runtime              = var.runtime
  permissions_boundary = var.permissions_boundary

  sources = {
    shop = {
      type        = "eventbridge"
      bus         = aws_cloudwatch_event_bus.shop.name
      pattern     = jsonencode({ source = ["orders"] })
      correlation = { from = "body", at = "order_id" }
    }
  }
}
