output "event_harness" {
  description = "The resource map for the harness; null unless deploy_test_resources is true."
  value       = one(module.event_listener[*].event_harness)
}
