variable "name" {
  description = "Name of the function; its role, log group and failure queue are named after it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9-]{1,64}$", var.name))
    error_message = "name must be 1 to 64 letters, digits or hyphens, the limit of a Lambda function and its role: choose a shorter prefix or workspace name."
  }
}

variable "description" {
  description = "What the function does, in one sentence, as the AWS console shows it."
  type        = string
  nullable    = false
}

variable "source_dir" {
  description = "Directory whose content becomes the function's code; its handler is `handler` in `app.py`."
  type        = string
  nullable    = false
}

variable "runtime" {
  description = "Lambda runtime of the function, a Python one."
  type        = string
  default     = "python3.13"
  nullable    = false

  validation {
    condition     = can(regex("^python3\\.[0-9]+$", var.runtime))
    error_message = "runtime must be a Python runtime such as \"python3.13\": the functions are written in Python."
  }
}

variable "memory_mb" {
  description = "Memory of the function in MB; Lambda grants CPU in proportion (1,769 MB is one vCPU)."
  type        = number
  default     = 256
  nullable    = false

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240 && floor(var.memory_mb) == var.memory_mb
    error_message = "memory_mb must be a whole number from 128 to 10240, which is what Lambda offers."
  }
}

variable "timeout_seconds" {
  description = "Seconds after which Lambda ends one invocation."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 900 && floor(var.timeout_seconds) == var.timeout_seconds
    error_message = "timeout_seconds must be a whole number from 1 to 900, Lambda's limit: give longer work to several invocations."
  }
}

variable "environment" {
  description = "Environment variables of the function, beside those that Powertools for AWS Lambda reads."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "policy" {
  description = "IAM policy document (JSON) of what the function may do, beside its logs, traces and failure queue."
  type        = string
  nullable    = false
}

variable "retries" {
  description = "How often Lambda tries an asynchronous event again (0 to 2) before it goes to the failure queue."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = contains([0, 1, 2], var.retries)
    error_message = "retries must be 0, 1 or 2, which is what Lambda offers for asynchronous events."
  }
}

variable "max_event_age_seconds" {
  description = "Age in seconds at which an asynchronous event that could not be handled goes to the failure queue."
  type        = number
  default     = 3600
  nullable    = false

  validation {
    condition     = var.max_event_age_seconds >= 60 && var.max_event_age_seconds <= 21600
    error_message = "max_event_age_seconds must be from 60 to 21600 (six hours), which is what Lambda offers."
  }
}

variable "failure_retention_days" {
  description = "Days that the failure queue keeps an event for someone to look at it and send it again."
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
    error_message = "log_retention_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827 or 3653: CloudWatch Logs offers no other."
  }
}
