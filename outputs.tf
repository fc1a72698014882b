output "source_bucket" {
  description = "Name of the bucket whose *.txt objects are processed."
  value       = module.text_processor.source_bucket
}

output "destination_bucket" {
  description = "Name of the bucket that receives the texts in upper case."
  value       = module.text_processor.destination_bucket
}

output "text_processor" {
  description = "The function that processes the texts: its name, its log group, and the queue that keeps its failed events."
  value = {
    function          = module.text_processor.function
    log_group         = module.text_processor.log_group
    failure_queue_url = module.text_processor.failure_queue_url
  }
}

output "event_harness" {
  description = "The resource map for the harness; null unless deploy_test_resources is true."
  value       = one(module.event_listener[*].event_harness)
}
