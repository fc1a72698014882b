output "customers_table" {
  description = "Name of the table of customers, the input of the system."
  value       = aws_dynamodb_table.customers.name
  depends_on  = [aws_lambda_event_source_mapping.customers]
}

output "directory_table" {
  description = "Name of the table with the projection, the output of the system."
  value       = aws_dynamodb_table.directory.name
}

output "project_customer_function" {
  description = "Name of the function that projects customers."
  value       = aws_lambda_function.project_customer.function_name
}

output "event_harness" {
  description = "The resource map for the harness; null unless deploy_test_resources is true."
  value       = one(module.event_listener[*].event_harness)
  depends_on  = [aws_lambda_event_source_mapping.customers]
}
