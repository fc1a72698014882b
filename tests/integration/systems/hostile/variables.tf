variable "runtime" {
  description = "Lambda runtime of the listener, a Python runtime."
  type        = string
  default     = "python3.13"
  nullable    = false
}
