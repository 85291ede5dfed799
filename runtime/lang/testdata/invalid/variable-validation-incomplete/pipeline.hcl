variable "name" {
  default = "a"
  validation {
    condition = true
  }
}

source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
