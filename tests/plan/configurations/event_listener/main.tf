# Only the module: the cases are about its inputs.

provider "aws" {}

module "event_listener" {
  source = "../../../../modules/event_listener"

  name               = var.name
  sources            = var.sources
  components         = var.components
  result_ttl_hours   = var.settings.result_ttl_hours
  inline_limit_bytes = var.settings.inline_limit_bytes
}
