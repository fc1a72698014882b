variable "runtime" {
  description = "Lambda runtime of the listener, a Python runtime."
  type        = string
  default     = "python3.13"
  nullable    = false
}

variable "inline_limit_bytes" {
  description = "Size in bytes up to which a body is kept in the results table."
  type        = number
  default     = 65536
  nullable    = false
}
