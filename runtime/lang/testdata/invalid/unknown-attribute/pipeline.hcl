source "file" "alerts" {
  path  = "alerts.json"
  folow = false
}

sink "stdout" "out" { from = source.file.alerts }
