variable "name_prefix" {
  description = "Start of the bucket's name, cut to 37 characters; a unique ending of 26 follows."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]+$", var.name_prefix))
    error_message = "name_prefix must be lower-case letters, digits and hyphens, the alphabet of S3: choose another prefix or workspace name."
  }
}

variable "ephemeral" {
  description = "Whether the bucket may be destroyed with objects in it, and forgets what is older than a day."
  type        = bool
  default     = false
  nullable    = false
}

variable "expire_after_days" {
  description = "Days after which objects are deleted; 0 keeps them."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.expire_after_days >= 0 && floor(var.expire_after_days) == var.expire_after_days
    error_message = "expire_after_days must be a whole number of days, or 0 to keep the objects."
  }
}
