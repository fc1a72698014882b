variable "name_prefix" {
  description = "Start of the bucket's name, cut to 37 characters; a unique suffix of 26 characters follows."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]+$", var.name_prefix))
    error_message = "name_prefix must be lower-case letters, digits and hyphens, as S3 requires: choose another prefix or workspace name."
  }
}

variable "ephemeral" {
  description = "Whether the deployment is short-lived: destroy then deletes the objects in the bucket."
  type        = bool
  default     = false
  nullable    = false
}

variable "expire_after_days" {
  description = "Days after which S3 deletes an object; 0 keeps objects."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.expire_after_days >= 0 && floor(var.expire_after_days) == var.expire_after_days
    error_message = "expire_after_days must be a whole number of days, or 0 to keep the objects."
  }
}
