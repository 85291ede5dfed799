source "file" "alerts" { path = "alerts.json" }

filter "windows" {
  from  = source.file.alerts
  where = format("rule.level > %d", 3)
}

sink "stdout" "out" { from = filter.windows }
