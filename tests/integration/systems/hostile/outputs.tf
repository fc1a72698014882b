output "event_harness" {
  description = "The resource map for the harness."
  value       = module.event_listener.event_harness
}
