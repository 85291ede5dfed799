variable "a" { default = "1" }
variable "a" { default = "2" }

source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
