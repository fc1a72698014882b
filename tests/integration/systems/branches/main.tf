# A system with branches and a join. No component is listed.
#
#   orders --pipe forward--> changed (topic) --> bills (queue) --> bill (function) --> billed (queue)
#          --pipe ship-----> flow (state machine) -----------------------------------> billed
#   lost   --pipe stuck----> parked (queue): the local AWS emulator delivers no pipe to a queue

locals {
  name = "branches-${terraform.workspace}"
}

provider "aws" {}

resource "aws_dynamodb_table" "streamed" {
  for_each = toset(["orders", "lost"])

  name             = "${local.name}-${each.key}"
  billing_mode     = "PAY_PER_REQUEST"
  hash_key         = "id"
  stream_enabled   = true
  stream_view_type = "NEW_IMAGE"

  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_sns_topic" "changed" {
  name = "${local.name}-changed"
}

resource "aws_sqs_queue" "line" {
  for_each = toset(["bills", "billed", "parked"])

  name                       = "${local.name}-${each.key}"
  visibility_timeout_seconds = 30
}

resource "aws_sns_topic_subscription" "bills" {
  topic_arn            = aws_sns_topic.changed.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.line["bills"].arn
  raw_message_delivery = true
}

resource "aws_sqs_queue_policy" "bills" {
  queue_url = aws_sqs_queue.line["bills"].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sqs:SendMessage"
      Principal = { Service = "sns.amazonaws.com" }
      Resource  = aws_sqs_queue.line["bills"].arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_sns_topic.changed.arn } }
    }]
  })
}

resource "aws_sfn_state_machine" "flow" {
  name     = "${local.name}-flow"
  role_arn = aws_iam_role.flow.arn
  definition = jsonencode({
    StartAt = "Each"
    States = {
      Each = {
        Type = "Map"
        End  = true
        Iterator = {
          StartAt = "Send"
          States = {
            Send = {
              Type     = "Task"
              Resource = "arn:aws:states:::sqs:sendMessage"
              Parameters = {
                QueueUrl        = aws_sqs_queue.line["billed"].id
                "MessageBody.$" = "States.JsonToString($.dynamodb.Keys)"
              }
              End = true
            }
          }
        }
      }
    }
  })
}

# The oldest provider that we support has no resource for a pipe.
resource "aws_cloudformation_stack" "pipes" {
  name = "${local.name}-pipes"
  template_body = jsonencode({
    Resources = {
      for name, ends in {
        forward = ["orders", aws_sns_topic.changed.arn]
        ship    = ["orders", aws_sfn_state_machine.flow.arn]
        stuck   = ["lost", aws_sqs_queue.line["parked"].arn]
        } : name => {
        Type = "AWS::Pipes::Pipe"
        Properties = {
          Name    = "${local.name}-${name}"
          RoleArn = aws_iam_role.flow.arn
          Source  = aws_dynamodb_table.streamed[ends[0]].stream_arn
          Target  = ends[1]
          SourceParameters = {
            DynamoDBStreamParameters = { StartingPosition = "TRIM_HORIZON", BatchSize = 1 }
          }
        }
      }
    }
  })
}

resource "aws_iam_role" "flow" {
  name = "${local.name}-flow"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = ["states.amazonaws.com", "pipes.amazonaws.com"] }
    }]
  })
}

resource "aws_iam_role_policy" "flow" {
  name = "flow"
  role = aws_iam_role.flow.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "sqs:SendMessage", Resource = [for line in aws_sqs_queue.line : line.arn] },
      { Effect = "Allow", Action = "sns:Publish", Resource = aws_sns_topic.changed.arn },
      { Effect = "Allow", Action = "states:StartExecution", Resource = aws_sfn_state_machine.flow.arn },
      {
        Effect = "Allow"
        Action = [
          "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
        ]
        Resource = [for table in aws_dynamodb_table.streamed : table.stream_arn]
      },
    ]
  })
}

module "bill" {
  source = "../../../../modules/lambda_function"

  name        = "${local.name}-bill"
  description = "Sends each order's id on to the queue of billed orders."
  source_dir  = "${path.module}/functions/bill"
  runtime     = var.runtime
  environment = { BILLED = aws_sqs_queue.line["billed"].id }
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        Resource = aws_sqs_queue.line["bills"].arn
      },
      { Effect = "Allow", Action = "sqs:SendMessage", Resource = aws_sqs_queue.line["billed"].arn },
    ]
  })
}

resource "aws_lambda_event_source_mapping" "bills" {
  event_source_arn = aws_sqs_queue.line["bills"].arn
  function_name    = module.bill.arn
  batch_size       = 1
}

module "event_listener" {
  source = "../../../../modules/event_listener"
  count  = var.deploy_test_resources ? 1 : 0

  name    = local.name
  runtime = var.runtime
  sources = {
    for name in ["billed", "parked"] : name => {
      type        = "sqs"
      queue_arn   = aws_sqs_queue.line[name].arn
      correlation = { from = "body", at = "id.S" }
    }
  }
}
