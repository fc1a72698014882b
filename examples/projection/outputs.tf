output "customers_table" {
  description = "Name of the table that customers are written to."
  value       = aws_dynamodb_table.customers.name
  depends_on  = [aws_lambda_event_source_mapping.customers]
}

output "directory_table" {
  description = "Name of the table that the customers are projected into."
  value       = aws_dynamodb_table.directory.name
}

output "project_customer_function" {
  description = "Name of the function that projects them."
  value       = aws_lambda_function.project_customer.function_name
}

output "event_harness" {
  description = "What the harness reads; null unless deploy_test_resources is true."
  value       = one(module.event_listener[*].event_harness)
  depends_on  = [aws_lambda_event_source_mapping.customers]
}
