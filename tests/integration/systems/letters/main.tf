# The smallest system: a queue and a listener.

locals {
  name = "letters-${terraform.workspace}"
}

provider "aws" {}

resource "aws_sqs_queue" "letters" {
  name = local.name
}

module "event_listener" {
  source = "../../../../modules/event_listener"
  count  = var.deploy_test_resources ? 1 : 0

  name       = local.name
  runtime    = var.runtime
  sources    = { letters = { type = "sqs", queue_arn = aws_sqs_queue.letters.arn } }
  components = [{ name = "letters", type = "sqs", queue_url = aws_sqs_queue.letters.id }]
}
