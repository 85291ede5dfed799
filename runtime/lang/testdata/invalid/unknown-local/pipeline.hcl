locals {
  brokers = ["k:9092"]
}

source "file" "alerts" { path = "alerts.json" }

sink "kafka" "dfn" {
  from    = source.file.alerts
  brokers = local.brokerz
  topic   = "dfn"
}
