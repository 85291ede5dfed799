locals { x = 1 }

variable "name" {
  default = "a"
  validation {
    condition     = local.x == 1
    error_message = "no"
  }
}

source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
