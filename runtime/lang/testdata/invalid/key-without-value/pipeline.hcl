source "file" "alerts" { path = "alerts.json" }

transform "map" "x" {
  from = source.file.alerts
  set = {
    a "b"
  }
}

sink "stdout" "out" { from = transform.map.x }
