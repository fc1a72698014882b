locals {
  name               = "${var.name_prefix}-${terraform.workspace}"
  log_retention_days = var.ephemeral ? 1 : var.log_retention_days
  tags = merge(var.tags, {
    Application = var.name_prefix
    Environment = terraform.workspace
    ManagedBy   = "terraform"
    Owner       = var.owner
  })
}

provider "aws" {
  region = var.region

  default_tags {
    tags = local.tags
  }
}

module "text_processor" {
  source = "./modules/text_processor"

  name                 = local.name
  ephemeral            = var.ephemeral
  runtime              = var.runtime
  permissions_boundary = var.permissions_boundary
  memory_mb            = var.text_processor.memory_mb
  timeout_seconds      = var.text_processor.timeout_seconds
  log_retention_days   = local.log_retention_days
}

# All test resources. Nothing in the system under test refers to them.
module "event_listener" {
  source = "./modules/event_listener"
  count  = var.deploy_test_resources ? 1 : 0

  name                 = local.name
  ephemeral            = var.ephemeral
  runtime              = var.runtime
  permissions_boundary = var.permissions_boundary
  log_retention_days   = local.log_retention_days

  sources = {
    destination = { type = "s3", bucket = module.text_processor.destination_bucket }
  }

  components = [
    { name = "source", type = "s3", bucket = module.text_processor.source_bucket },
    {
      name              = "text_processor"
      type              = "lambda"
      function          = module.text_processor.function
      log_group         = module.text_processor.log_group
      failure_queue_url = module.text_processor.failure_queue_url
    },
    { name = "destination", type = "s3", bucket = module.text_processor.destination_bucket },
  ]
}
