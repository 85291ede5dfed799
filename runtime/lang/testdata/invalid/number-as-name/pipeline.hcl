source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }

sink "stdout" "more" { from = filter.4625 }
