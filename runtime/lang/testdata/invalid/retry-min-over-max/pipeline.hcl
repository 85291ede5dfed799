source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" {
  from = source.file.alerts
  retry {
    min = "1m"
    max = "1s"
  }
}
