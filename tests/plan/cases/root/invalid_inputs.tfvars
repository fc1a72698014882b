name_prefix          = "a-prefix-of-22-letters"
region               = "Ireland"
owner                = ""
tags                 = { "AWS:owner" = "me" }
runtime              = "nodejs22.x"
permissions_boundary = "shout-boundary"
log_retention_days   = 29
text_processor       = { memory_mb = 127, timeout_seconds = 901 }
