variable "brokers" {
  type    = list(string)
  default = ["k:9092"]
}

source "file" "alerts" { path = "alerts.json" }

sink "kafka" "dfn" {
  from    = source.file.alerts
  brokers = var.broker
  topic   = "dfn"
}
