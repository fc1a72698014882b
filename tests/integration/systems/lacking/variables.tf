variable "deploy_test_resources" {
  description = "Whether the event listener and its results table are deployed too."
  type        = bool
  default     = false
  nullable    = false
}

variable "lacking" {
  description = "Permissions that the system lacks: wiring (those of its connections), sending (that of its function)."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "runtime" {
  description = "Lambda runtime of the functions, a Python runtime."
  type        = string
  default     = "python3.13"
  nullable    = false
}
