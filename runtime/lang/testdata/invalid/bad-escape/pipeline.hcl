source "file" "alerts" { path = "alerts.json" }

filter "windows" {
  from  = source.file.alerts
  where = "full_log matches '\d+'"
}

sink "stdout" "out" { from = filter.windows }
