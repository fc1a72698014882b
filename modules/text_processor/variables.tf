variable "name" {
  description = "Start of the name of everything here; a role such as \"-source\" is appended."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,48}$", var.name))
    error_message = "name must be 2 to 49 lower-case letters, digits and hyphens and start with a letter: choose a shorter prefix or another workspace name."
  }
}

variable "ephemeral" {
  description = "Whether the deployment is short-lived: its buckets may then be destroyed with objects in them."
  type        = bool
  default     = false
  nullable    = false
}

variable "runtime" {
  description = "Lambda runtime of the function, a Python one."
  type        = string
  default     = "python3.13"
  nullable    = false
}

variable "memory_mb" {
  description = "Memory of the function in MB; an object's size doesn't matter for it."
  type        = number
  default     = 512
  nullable    = false
}

variable "timeout_seconds" {
  description = "Seconds after which Lambda ends one invocation; it bounds the size of an object."
  type        = number
  default     = 300
  nullable    = false
}

variable "log_retention_days" {
  description = "Days that CloudWatch Logs keeps the function's logs."
  type        = number
  default     = 30
  nullable    = false
}
