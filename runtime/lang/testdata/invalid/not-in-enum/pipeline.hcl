queue { when_full = "drop_old" }

source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
