locals { a = 1 } x

source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
