# `arn` and `name` wait for the role's policy and the failure queue: from then on the function works, and its
# failed events are kept.

output "arn" {
  description = "ARN of the function."
  value       = aws_lambda_function.this.arn
  depends_on  = [aws_iam_role_policy.this, aws_lambda_function_event_invoke_config.this]
}

output "name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
  depends_on  = [aws_iam_role_policy.this, aws_lambda_function_event_invoke_config.this]
}

output "log_group" {
  description = "Name of the function's log group."
  value       = aws_cloudwatch_log_group.this.name
}

output "failure_queue_url" {
  description = "URL of the queue that keeps the failed events of the function."
  value       = aws_sqs_queue.failures.id
}

output "failure_queue_arn" {
  description = "ARN of the queue that keeps the failed events of the function."
  value       = aws_sqs_queue.failures.arn
}
