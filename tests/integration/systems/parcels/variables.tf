variable "runtime" {
  description = "Lambda runtime of the functions, a Python one."
  type        = string
  default     = "python3.13"
  nullable    = false
}
