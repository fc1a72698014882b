# EventBridge pipes as provider 5 and later have them. No component is listed.
#
#   orders --pipe announce (filter, dead letters)--> announced (topic) --> the listener
#          --pipe park-----------------------------> parked (queue): the local AWS emulator holds the records
#   jobs   --pipe start----------------------------> flow (an express workflow): the emulator takes nothing

locals {
  name = "piped-${terraform.workspace}"
}

provider "aws" {}

resource "aws_dynamodb_table" "orders" {
  name             = "${local.name}-orders"
  billing_mode     = "PAY_PER_REQUEST"
  hash_key         = "id"
  stream_enabled   = true
  stream_view_type = "NEW_IMAGE"

  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_sns_topic" "announced" {
  name = "${local.name}-announced"
}

resource "aws_sqs_queue" "line" {
  for_each = toset(["jobs", "lost", "parked"])

  name = "${local.name}-${each.key}"
}

resource "aws_sfn_state_machine" "flow" {
  name     = "${local.name}-flow"
  role_arn = aws_iam_role.pipe.arn
  type     = "EXPRESS"
  definition = jsonencode({
    StartAt = "Done"
    States  = { Done = { Type = "Pass", End = true } }
  })
}

resource "aws_pipes_pipe" "announce" {
  name     = "${local.name}-announce"
  role_arn = aws_iam_role.pipe.arn
  source   = aws_dynamodb_table.orders.stream_arn
  target   = aws_sns_topic.announced.arn

  source_parameters {
    dynamodb_stream_parameters {
      starting_position = "TRIM_HORIZON"
      batch_size        = 5

      dead_letter_config {
        arn = aws_sqs_queue.line["lost"].arn
      }
    }

    filter_criteria {
      filter {
        pattern = jsonencode({ eventName = ["INSERT"] })
      }
    }
  }

  depends_on = [aws_iam_role_policy.pipe]
}

resource "aws_pipes_pipe" "park" {
  name     = "${local.name}-park"
  role_arn = aws_iam_role.pipe.arn
  source   = aws_dynamodb_table.orders.stream_arn
  target   = aws_sqs_queue.line["parked"].arn

  source_parameters {
    dynamodb_stream_parameters {
      starting_position = "TRIM_HORIZON"
    }
  }

  depends_on = [aws_iam_role_policy.pipe]
}

resource "aws_pipes_pipe" "start" {
  name     = "${local.name}-start"
  role_arn = aws_iam_role.pipe.arn
  source   = aws_sqs_queue.line["jobs"].arn
  target   = aws_sfn_state_machine.flow.arn

  target_parameters {
    input_template = "<$.body>"

    step_function_state_machine_parameters {
      invocation_type = "FIRE_AND_FORGET"
    }
  }

  depends_on = [aws_iam_role_policy.pipe]
}

resource "aws_iam_role" "pipe" {
  name = "${local.name}-pipe"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = ["pipes.amazonaws.com", "states.amazonaws.com"] }
    }]
  })
}

resource "aws_iam_role_policy" "pipe" {
  name = "pipe"
  role = aws_iam_role.pipe.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Action = [
          "dynamodb:DescribeStream",
          "dynamodb:GetRecords",
          "dynamodb:GetShardIterator",
          "dynamodb:ListStreams",
        ]
        Resource = aws_dynamodb_table.orders.stream_arn
      },
      {
        Effect   = "Allow"
        Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        Resource = aws_sqs_queue.line["jobs"].arn
      },
      {
        Effect   = "Allow"
        Action   = "sqs:SendMessage"
        Resource = [aws_sqs_queue.line["lost"].arn, aws_sqs_queue.line["parked"].arn]
      },
      { Effect = "Allow", Action = "sns:Publish", Resource = aws_sns_topic.announced.arn },
      { Effect = "Allow", Action = "states:StartExecution", Resource = aws_sfn_state_machine.flow.arn },
    ]
  })
}

variable "deploy_test_resources" {
  description = "Whether the event listener and its results table are deployed too."
  type        = bool
  default     = false
  nullable    = false
}

module "event_listener" {
  source = "../../../../modules/event_listener"
  count  = var.deploy_test_resources ? 1 : 0

  name = local.name
  sources = {
    announced = {
      type        = "sns"
      topic_arn   = aws_sns_topic.announced.arn
      correlation = { from = "body", at = "dynamodb.Keys.id.S" }
    }
  }
}

output "event_harness" {
  description = "The resource map for the harness; null unless the test resources are deployed."
  value       = one(module.event_listener[*].event_harness)
}
