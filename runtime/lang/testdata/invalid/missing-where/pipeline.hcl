source "file" "alerts" { path = "alerts.json" }

filter "windows" {
  from = source.file.alerts
}

sink "stdout" "out" { from = filter.windows }
