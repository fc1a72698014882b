# Queues that a listener reads, and a failure queue that a test fills with anything.

locals {
  name = "hostile-${terraform.workspace}"
}

provider "aws" {}

resource "aws_sqs_queue" "letters" {
  name = "${local.name}-letters"
}

resource "aws_sqs_queue" "parcels" {
  name       = "${local.name}-parcels.fifo"
  fifo_queue = true
}

resource "aws_sqs_queue" "failures" {
  name = "${local.name}-failures"
}

module "event_listener" {
  source = "../../../../modules/event_listener"

  name    = local.name
  runtime = var.runtime

  sources = {
    letters = { type = "sqs", queue_arn = aws_sqs_queue.letters.arn }
    parcels = { type = "sqs", queue_arn = aws_sqs_queue.parcels.arn }
  }

  components = [
    { name = "letters", type = "sqs", queue_url = aws_sqs_queue.letters.id, failure_queue_url = aws_sqs_queue.failures.id },
    { name = "parcels", type = "sqs", queue_url = aws_sqs_queue.parcels.id },
  ]
}
