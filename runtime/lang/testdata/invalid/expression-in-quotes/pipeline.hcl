source "file" "alerts" { path = "alerts.json" }

filter "windows" {
  from  = source.file.alerts
  where = "data.x == '\u00e9\\d' && rule.level >> 3"
}

sink "stdout" "out" { from = filter.windows }
