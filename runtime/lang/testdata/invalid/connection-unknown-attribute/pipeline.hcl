source "file" "alerts" { path = "alerts.json" }

connection "kafka" "main" {
  broker = ["kafka.example:9093"]
  tls { password = "p" }
}

sink "kafka" "dfn" {
  from = source.file.alerts
  topic = "dfn"
  connection = connection.kafka.main
}
