source "file" "alerts" { path = "odd.json" }

sink "stdout" "out" { from = source.file.alerts }
