output "event_harness" {
  description = "What the harness reads; null unless deploy_test_resources is true."
  value       = one(module.event_listener[*].event_harness)
}
