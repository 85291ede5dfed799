source "file" "alerts" { path = "alerts.json" }

transform "map" "x" {
  from = source.file.alerts
  set  = { agent.id = "001" }
}

sink "stdout" "out" { from = transform.map.x }
