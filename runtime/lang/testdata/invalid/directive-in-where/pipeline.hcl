source "file" "alerts" { path = "alerts.json" }

filter "windows" {
  from  = source.file.alerts
  where = "%{ if true }rule.level > 3%{ endif }"
}

sink "stdout" "out" { from = filter.windows }
