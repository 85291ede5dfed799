source "file" "alerts" { path = "alerts.json" }

filter "windows" {
  from  = source.file.alerts
  where = "data["win"].x == 1"
}

sink "stdout" "out" { from = filter.windows }
