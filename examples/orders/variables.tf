variable "name_prefix" {
  description = "Start of every name; the workspace and a role follow, as in \"orders-default-confirm-order\"."
  type        = string
  default     = "orders"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.name_prefix))
    error_message = "name_prefix must be 2 to 20 lower-case letters, digits and hyphens and start with a letter: choose another one."
  }
}

variable "region" {
  description = "AWS region to deploy to, such as \"eu-west-1\"; null: the region of the environment (AWS_REGION)."
  type        = string
  default     = null
}

variable "deploy_test_resources" {
  description = "Whether to deploy the event listener and its results table too; never set it in production."
  type        = bool
  default     = false
  nullable    = false
}

variable "runtime" {
  description = "Lambda runtime of the functions, a Python runtime."
  type        = string
  default     = "python3.13"
  nullable    = false
}

variable "permissions_boundary" {
  description = "ARN of the IAM policy that is the permissions boundary of every role; null: no boundary."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null ? true : can(regex("^arn:[a-z-]+:iam::[0-9a-z]+:policy/[A-Za-z0-9+=,.@_/-]+$", var.permissions_boundary))
    error_message = "permissions_boundary must be the ARN of an IAM policy such as \"arn:aws:iam::111122223333:policy/orders-boundary\", or null."
  }
}
