variable "a" { default = "1" }
variable "b" { default = var.a }

source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
