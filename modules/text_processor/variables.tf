variable "name" {
  description = "Start of every name; the module appends a role such as \"-source\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,48}$", var.name))
    error_message = "name must be 2 to 49 lower-case letters, digits and hyphens and start with a letter: choose a shorter prefix or another workspace name."
  }
}

variable "ephemeral" {
  description = "Whether the deployment is short-lived: destroy then deletes the objects in the buckets."
  type        = bool
  default     = false
  nullable    = false
}

variable "runtime" {
  description = "Lambda runtime of the function, a Python runtime."
  type        = string
  default     = "python3.13"
  nullable    = false
}

variable "permissions_boundary" {
  description = "ARN of the IAM policy that is the permissions boundary of the function's role; null: no boundary."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null ? true : can(regex("^arn:[a-z-]+:iam::[0-9a-z]+:policy/[A-Za-z0-9+=,.@_/-]+$", var.permissions_boundary))
    error_message = "permissions_boundary must be the ARN of an IAM policy such as \"arn:aws:iam::111122223333:policy/shout-boundary\", or null."
  }
}

variable "memory_mb" {
  description = "Memory of the function in MB; it need not grow with the objects."
  type        = number
  default     = 512
  nullable    = false
}

variable "timeout_seconds" {
  description = "Seconds after which Lambda ends one invocation; this limits the size of an object."
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
