source "file" "alerts" { path = "alerts.json" }

connection "kafka" "main" {
  brokers = ["kafka.example:9093"]
  tls { password = "p" }
}

connection "nats" "bus" { url = "nats://127.0.0.1" }

sink "kafka" "dfn" {
  from = source.file.alerts
  topic = "dfn"
  connection = connection.kafka.main
}

sink "kafka" "other" {
  from = source.file.alerts
  topic = "dfn"
  connection = connection.nats.bus
}
