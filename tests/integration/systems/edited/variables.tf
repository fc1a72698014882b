variable "deploy_test_resources" {
  description = "Whether the event listener and its results table are deployed too."
  type        = bool
  default     = false
  nullable    = false
}

variable "runtime" {
  description = "Lambda runtime of the listener, a Python runtime."
  type        = string
  default     = "python3.13"
  nullable    = false
}
