source "file" "alerts" { path = "alerts.json" }

connection "kafka" "main" {
  brokers = ["kafka.example:9093"]
  topic = "dfn"
  tls { password = "p" }
}

sink "kafka" "dfn" {
  from = source.file.alerts
  topic = "dfn"
  connection = connection.kafka.main
}
