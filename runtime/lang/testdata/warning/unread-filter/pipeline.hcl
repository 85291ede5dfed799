source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }

filter "windows" {
  from  = source.file.alerts
  where = "true"
}
