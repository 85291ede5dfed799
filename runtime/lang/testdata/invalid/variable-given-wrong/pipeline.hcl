#! --var level=high
variable "level" {
  type = number
}

source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
