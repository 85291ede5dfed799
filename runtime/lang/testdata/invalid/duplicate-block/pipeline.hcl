source "file" "alerts" { path = "alerts.json" }

sink "kafka" "dfn" {
  from    = source.file.alerts
  brokers = ["kafka.example:9093"]
  topic   = "dfn"

  tls {
    password = "a"
  }
  tls {
    password = "b"
  }
}
