source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = files.alerts }
