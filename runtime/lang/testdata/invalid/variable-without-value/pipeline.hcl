variable "brokers" {
  type = list(string)
  env  = "KAFKA_BROKERS"
}

source "file" "alerts" { path = "alerts.json" }

sink "kafka" "dfn" {
  from    = source.file.alerts
  brokers = var.brokers
  topic   = "dfn"
}
