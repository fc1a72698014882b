sources = {
  queue_01 = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:orders-01" }
  queue_02 = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:orders-02" }
  queue_03 = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:orders-03" }
  queue_04 = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:orders-04" }
  queue_05 = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:orders-05" }
  queue_06 = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:orders-06" }
  queue_07 = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:orders-07" }
  queue_08 = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:orders-08" }
  queue_09 = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:orders-09" }
  queue_10 = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:orders-10" }
  queue_11 = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:orders-11" }
  queue_12 = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:orders-12" }
  queue_13 = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:orders-13" }
  queue_14 = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:orders-14" }
  queue_15 = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:orders-15" }
  queue_16 = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:orders-16" }
  queue_17 = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:orders-17" }
  queue_18 = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:orders-18" }
  queue_19 = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:orders-19" }
  queue_20 = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:orders-20" }
  queue_21 = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:orders-21" }
  queue_22 = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:orders-22" }
  queue_23 = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:orders-23" }
  queue_24 = { type = "sqs", queue_arn = "arn:aws:sqs:eu-west-1:000000000000:orders-24" }
}
