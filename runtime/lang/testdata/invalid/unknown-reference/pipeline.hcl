source "file" "alerts" { path = "alerts.json" }

filter "windows" {
  from  = source.file.alerts
  where = "true"
}

sink "stdout" "out" { from = filter.windos }
