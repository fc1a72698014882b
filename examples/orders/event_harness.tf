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

  components = [
    { name = "placed", type = "sns", topic_arn = aws_sns_topic.placed.arn },
    {
      name              = "queue"
      type              = "sqs"
      queue_url         = aws_sqs_queue.placed.id
      failure_queue_url = aws_sqs_queue.dead_letters.id
    },
    {
      name      = "confirm_order"
      type      = "lambda"
      function  = aws_lambda_function.confirm_order.function_name
      log_group = aws_cloudwatch_log_group.confirm_order.name
    },
    { name = "shop", type = "eventbridge", bus = aws_cloudwatch_event_bus.shop.name },
  ]
}
