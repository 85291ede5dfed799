source "file" "alerts" { path = "alerts.json" }

connection "natz" "bus" { url = "nats://127.0.0.1" }

sink "stdout" "out" { from = source.file.alerts }
