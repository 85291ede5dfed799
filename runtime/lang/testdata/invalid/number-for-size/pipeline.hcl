queue { max_bytes = 64 }

source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
