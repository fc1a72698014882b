# A queue with the user's own event source mapping, in batches of ten.

locals {
  name = "crates-${terraform.workspace}"
}

provider "aws" {}

resource "aws_sqs_queue" "crates" {
  name = "${local.name}-crates"
}

# Provider 3.39, the only one without the Terraform Registry, has no `function_response_types`: the test sets it.
resource "aws_lambda_event_source_mapping" "crates" {
  event_source_arn = aws_sqs_queue.crates.arn
  function_name    = module.event_listener.function_arn
  batch_size       = 10
}

module "event_listener" {
  source = "../../../../modules/event_listener"

  name               = local.name
  runtime            = var.runtime
  inline_limit_bytes = 100

  sources = {
    crates = { type = "sqs", queue_arn = aws_sqs_queue.crates.arn, mapping = false, partial_batch_responses = true }
  }

  components = [{ name = "crates", type = "sqs", queue_url = aws_sqs_queue.crates.id }]
}
