source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }

sink "kafak" "dfn" {
  from    = source.file.alerts
  brokers = ["k:9092"]
}
