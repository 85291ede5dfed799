source "file" "alerts" { path = "alerts.json" }

sink "kafka" "dfn" {
  from    = source.file.alerts
  brokers = ["kafka.example"]
  topic   = "dfn"
}
