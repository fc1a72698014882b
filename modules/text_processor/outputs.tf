output "source_bucket" {
  description = "Name of the bucket whose *.txt objects are processed."
  value       = module.source.name
  depends_on  = [aws_s3_bucket_notification.source] # S3 sends no events before that
}

output "destination_bucket" {
  description = "Name of the bucket that receives the texts in upper case."
  value       = module.destination.name
}

output "function" {
  description = "Name of the function that processes the texts."
  value       = module.function.name
}

output "log_group" {
  description = "Name of the function's log group."
  value       = module.function.log_group
}

output "failure_queue_url" {
  description = "URL of the queue that keeps the failed events of the function."
  value       = module.function.failure_queue_url
}
