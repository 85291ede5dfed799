variable "name" {
  default = "a:b"
  validation {
    condition     = can(regex("^[^:]+$", var.name))
    error_message = "The name must have no colon."
  }
}

source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
