runtime { workers = 1 }
runtime { workers = 2 }

source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
