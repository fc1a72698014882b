variable "name" {
  description = "Passed on to the module."
  type        = string
  default     = "listened"
}

variable "sources" {
  description = "Passed on to the module as it is; the module says what is wrong with it."
  type        = any
  default     = {}
}

variable "components" {
  description = "Passed on to the module as it is."
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
