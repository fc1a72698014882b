output "topic_arn" {
  description = "ARN of the topic to which orders are published."
  value       = aws_sns_topic.placed.arn
  depends_on  = [aws_lambda_event_source_mapping.placed, aws_sns_topic_subscription.placed]
}

output "event_harness" {
  description = "The resource map for the harness; null unless deploy_test_resources is true."
  value       = one(module.event_listener[*].event_harness)
  depends_on  = [aws_lambda_event_source_mapping.placed, aws_sns_topic_subscription.placed]
}
