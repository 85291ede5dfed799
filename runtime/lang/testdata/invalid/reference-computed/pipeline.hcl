source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = true ? source.file.alerts : source.file.alerts }
