source "file" "alerts" { path = "alerts.json" }

filter "windows" {
  from  = source.file.alerts
  where = "is_pubic(data.srcip)"
}

sink "stdout" "out" { from = filter.windows }
