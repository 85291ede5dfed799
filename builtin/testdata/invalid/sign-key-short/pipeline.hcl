source "file" "alerts" { path = "alerts.json" }

transform "sign" "x" {
  from     = source.file.alerts
  key_file = "short.key"
}

sink "stdout" "out" { from = transform.sign.x }
