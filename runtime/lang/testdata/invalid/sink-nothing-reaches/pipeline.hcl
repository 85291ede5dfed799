source "file" "alerts" {
  path   = "alerts.json"
  errors = "drop"
}

sink "stdout" "out" {
  from   = source.file.alerts
  errors = "drop"
}

sink "stdout" "dead" { from = errors }
