output "event_harness" {
  description = "What the harness reads."
  value       = module.event_listener.event_harness
}
