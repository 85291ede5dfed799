source "file" "alerts" { path = "alerts.json" }

connection "kafka" "main" {
  tls { password = "p" }
}

sink "kafka" "dfn" {
  from = source.file.alerts
  topic = "dfn"
  connection = connection.kafka.main
}
