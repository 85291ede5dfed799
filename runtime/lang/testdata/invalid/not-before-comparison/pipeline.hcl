source "file" "alerts" { path = "alerts.json" }

filter "windows" {
  from  = source.file.alerts
  where = "not data.srcuser == 'root'"
}

sink "stdout" "out" { from = filter.windows }
