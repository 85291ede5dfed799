source "file" "alerts" { path = "alerts.json" }

connection "kafka" "main" {
  brokers = ["kafka.example:9093"]
  tls { password = "p" }
}

sink "stdout" "out" { from = source.file.alerts }
