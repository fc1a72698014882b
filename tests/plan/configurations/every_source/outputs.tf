output "event_harness" {
  description = "What the module hands to the harness."
  value       = module.event_listener.event_harness
}
