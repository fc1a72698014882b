# A Kinesis stream and its listener. It is a root of its own, because a stream takes 40 s to create.

locals {
  name = "kinesis-${terraform.workspace}"
}

provider "aws" {}

resource "aws_kinesis_stream" "clicks" {
  name        = "${local.name}-clicks"
  shard_count = 1
}

module "event_listener" {
  source = "../../../../modules/event_listener"

  name    = local.name
  runtime = var.runtime
  sources = { clicks = { type = "kinesis", stream_arn = aws_kinesis_stream.clicks.arn } }

  components = [{ name = "clicks", type = "kinesis", stream = aws_kinesis_stream.clicks.name }]
}
