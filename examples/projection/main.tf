locals {
  name = "${var.name_prefix}-${terraform.workspace}"
}

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      Application = var.name_prefix
      Environment = terraform.workspace
      ManagedBy   = "terraform"
    }
  }
}

# --- DynamoDB: the customers, written by other systems ---

resource "aws_dynamodb_table" "customers" {
  name             = "${local.name}-customers"
  billing_mode     = "PAY_PER_REQUEST"
  hash_key         = "customer_id"
  stream_enabled   = true
  stream_view_type = "NEW_AND_OLD_IMAGES"

  attribute {
    name = "customer_id"
    type = "S"
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled = true
  }
}

# --- DynamoDB: the projection, the public part of a customer ---

resource "aws_dynamodb_table" "directory" {
  #checkov:skip=CKV_AWS_28:can be rebuilt from the customers
  name             = "${local.name}-directory"
  billing_mode     = "PAY_PER_REQUEST"
  hash_key         = "customer_id"
  stream_enabled   = true # for consumers of the directory
  stream_view_type = "NEW_AND_OLD_IMAGES"

  attribute {
    name = "customer_id"
    type = "S"
  }

  server_side_encryption {
    enabled = true
  }
}

# --- SQS: changes that can't be projected ---

resource "aws_sqs_queue" "failures" {
  name                      = "${local.name}-failures"
  kms_master_key_id         = "alias/aws/sqs"
  message_retention_seconds = 14 * 24 * 60 * 60
}
