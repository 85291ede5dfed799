source "file" "alerts" { path = "alerts.json" }

filter "windows" {
  from  = source.file.alerts
  where = "agent-name == 'x'"
}

sink "stdout" "out" { from = filter.windows }
