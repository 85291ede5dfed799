source "file" "alerts" {
  path = "alerts.json"
  queue { storage = "disk" }
}

sink "stdout" "out" {
  from = source.file.alerts
  queue { storage = "disk" }
}
