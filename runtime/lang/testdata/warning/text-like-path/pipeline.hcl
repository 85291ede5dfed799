source "file" "alerts" { path = "alerts.json" }

sink "kafka" "dfn" {
  from    = source.file.alerts
  brokers = ["k:9092"]
  topic   = "dfn"
  key     = "agent.id"
}
