name_prefix           = "upper"
ephemeral             = true
deploy_test_resources = true
owner                 = "team@example.com"
tags                  = { CostCenter = "42" }
text_processor        = { memory_mb = 1024, timeout_seconds = 3 }
