connection "nats" "bus" { url = "nats://127.0.0.1" }

source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
