runtime { drain_timeout = "5 minutes" }

source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
