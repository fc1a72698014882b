variable "name_prefix" {
  description = "Start of every name; the workspace and a role follow, as in \"shout-default-text-processor\"."
  type        = string
  default     = "shout"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.name_prefix))
    error_message = "name_prefix must be 2 to 20 lower-case letters, digits and hyphens and start with a letter, since the names of buckets and functions contain it."
  }
}

variable "region" {
  description = "AWS region to deploy to, such as \"eu-west-1\"; null: the region of the environment (AWS_REGION)."
  type        = string
  default     = null

  validation {
    condition     = var.region == null ? true : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]+$", var.region))
    error_message = "region must be the name of an AWS region such as \"eu-west-1\", or null for the region of the environment."
  }
}

variable "owner" {
  description = "Owner of the deployment, a team or an address; the tag Owner of every resource."
  type        = string
  default     = "unknown"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9 _.:/=+@-]{1,256}$", var.owner))
    error_message = "owner must be 1 to 256 letters, digits, spaces or _.:/=+-@, since it becomes the value of a tag."
  }
}

variable "tags" {
  description = "Additional tags of every resource."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name, _ in var.tags : !startswith(lower(name), "aws:")])
    error_message = "The names of tags must not start with \"aws:\": AWS reserves this prefix."
  }
}

variable "deploy_test_resources" {
  description = "Whether to deploy the event listener and its results table too; never set it in production."
  type        = bool
  default     = false
  nullable    = false
}

variable "ephemeral" {
  description = "Whether the deployment is short-lived: destroy then deletes the objects in its buckets, and logs are kept for one day."
  type        = bool
  default     = false
  nullable    = false
}

variable "runtime" {
  description = "Lambda runtime of the functions, a Python runtime; provider 3.39 (for emulators only) knows none newer than \"python3.8\"."
  type        = string
  default     = "python3.13"
  nullable    = false

  validation {
    condition     = can(regex("^python3\\.[0-9]+$", var.runtime))
    error_message = "runtime must be a Python runtime such as \"python3.13\": the functions are written in Python."
  }
}

variable "permissions_boundary" {
  description = "ARN of the IAM policy that is the permissions boundary of every role; null: no boundary."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null ? true : can(regex("^arn:[a-z-]+:iam::[0-9a-z]+:policy/[A-Za-z0-9+=,.@_/-]+$", var.permissions_boundary))
    error_message = "permissions_boundary must be the ARN of an IAM policy such as \"arn:aws:iam::111122223333:policy/shout-boundary\", or null."
  }
}

variable "log_retention_days" {
  description = "Days that CloudWatch Logs keeps the functions' logs, unless the deployment is ephemeral."
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

variable "text_processor" {
  description = "Size of the text processor: its memory in MB, and the seconds after which Lambda ends one invocation."
  type = object({
    memory_mb       = optional(number, 512)
    timeout_seconds = optional(number, 300)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.text_processor.memory_mb >= 128 && var.text_processor.memory_mb <= 10240
    error_message = "text_processor.memory_mb must be from 128 to 10240, Lambda's limits."
  }

  validation {
    condition     = var.text_processor.timeout_seconds >= 1 && var.text_processor.timeout_seconds <= 900
    error_message = "text_processor.timeout_seconds must be from 1 to 900, Lambda's limit."
  }
}
