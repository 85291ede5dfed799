runtime { drain_timeout = "200000d" }

source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
