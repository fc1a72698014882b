variable "name" {
  description = "Passed on to the module."
  type        = string
  default     = "listened"
}

variable "sources" {
  description = "Passed on to the module unchanged; the module validates it."
  type        = any
  default     = {}
}

variable "components" {
  description = "Passed on to the module unchanged."
  type        = any
  default     = []
}

variable "settings" {
  description = "Further inputs of the module."
  type = object({
    result_ttl_hours   = optional(number, 24)
    inline_limit_bytes = optional(number, 262144)
  })
  default = {}
}
