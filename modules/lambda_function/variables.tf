variable "name" {
  description = "Name of the function; the names of its role, log group and failure queue contain it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9-]{1,64}$", var.name))
    error_message = "name must be 1 to 64 letters, digits or hyphens, the limit of a Lambda function and its role: choose a shorter prefix or workspace name."
  }
}

variable "description" {
  description = "Purpose of the function in one sentence; the AWS console shows it."
  type        = string
  nullable    = false
}

variable "source_dir" {
  description = "Directory with the function's code; the handler is `handler` in `app.py`."
  type        = string
  nullable    = false
}

variable "runtime" {
  description = "Lambda runtime of the function, a Python runtime."
  type        = string
  default     = "python3.13"
  nullable    = false

  validation {
    condition     = can(regex("^python3\\.[0-9]+$", var.runtime))
    error_message = "runtime must be a Python runtime such as \"python3.13\": the functions are written in Python."
  }
}

variable "memory_mb" {
  description = "Memory of the function in MB; its CPU share is proportional (1,769 MB is one vCPU)."
  type        = number
  default     = 256
  nullable    = false

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240 && floor(var.memory_mb) == var.memory_mb
    error_message = "memory_mb must be a whole number from 128 to 10240, Lambda's limits."
  }
}

variable "timeout_seconds" {
  description = "Seconds after which Lambda ends one invocation."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 900 && floor(var.timeout_seconds) == var.timeout_seconds
    error_message = "timeout_seconds must be a whole number from 1 to 900, Lambda's limit: split longer work into several invocations."
  }
}

variable "environment" {
  description = "Environment variables of the function; the module adds those of Powertools for AWS Lambda."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "policy" {
  description = "IAM policy document (JSON) of the function; the module adds logs, traces and the failure queue."
  type        = string
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

variable "retries" {
  description = "How often (0 to 2) Lambda retries an asynchronous event before it goes to the failure queue."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = contains([0, 1, 2], var.retries)
    error_message = "retries must be 0, 1 or 2, the values that Lambda supports for asynchronous events."
  }
}

variable "max_event_age_seconds" {
  description = "Age in seconds at which Lambda stops retrying an asynchronous event and sends it to the failure queue."
  type        = number
  default     = 3600
  nullable    = false

  validation {
    condition     = var.max_event_age_seconds >= 60 && var.max_event_age_seconds <= 21600
    error_message = "max_event_age_seconds must be from 60 to 21600 (six hours), Lambda's limits."
  }
}

variable "failure_retention_days" {
  description = "Days that the failure queue keeps an event."
  type        = number
  default     = 14
  nullable    = false

  validation {
    condition     = var.failure_retention_days >= 1 && var.failure_retention_days <= 14
    error_message = "failure_retention_days must be from 1 to 14, the limit of SQS."
  }
}

variable "log_retention_days" {
  description = "Days that CloudWatch Logs keeps the function's logs."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition = contains(
      [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653],
      var.log_retention_days
    )
    error_message = "log_retention_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827 or 3653: CloudWatch Logs supports no other value."
  }
}
