variable "brokers" {
  type    = list(string)
  default = { a = 1 }
}

source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
