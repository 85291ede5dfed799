source "file" "alerts" { path = "alerts.json" }

sink "kafka" "dfn" {
  from    = source.file.alerts
  brokers = ["kafka.example:9093"]
  topic   = "dfn"
  linger  = 5
}
