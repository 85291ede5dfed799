queue { max_events = 1.5 }

source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
