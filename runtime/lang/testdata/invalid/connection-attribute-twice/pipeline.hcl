source "file" "alerts" { path = "alerts.json" }

connection "kafka" "main" {
  brokers = ["kafka.example:9093"]
  tls { password = "p" }
}

sink "kafka" "dfn" {
  from = source.file.alerts
  topic = "dfn"
  connection = connection.kafka.main
  brokers = ["other:9092"]
}
