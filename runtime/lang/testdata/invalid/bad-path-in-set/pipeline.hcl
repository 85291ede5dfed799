source "file" "alerts" { path = "alerts.json" }

transform "map" "x" {
  from = source.file.alerts
  set  = { "agent..id" = "x" }
}

sink "stdout" "out" { from = transform.map.x }
