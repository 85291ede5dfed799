variable "name" {
  default = "a"
  validation {
    condition     = "maybe"
    error_message = "no"
  }
}

source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
