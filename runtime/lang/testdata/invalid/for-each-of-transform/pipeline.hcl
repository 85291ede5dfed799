source "file" "alerts" { path = "alerts.json" }

transform "map" "x" {
  from     = source.file.alerts
  for_each = ["a", "b"]
  set      = { a = "b" }
}

sink "stdout" "out" { from = transform.map.x }
