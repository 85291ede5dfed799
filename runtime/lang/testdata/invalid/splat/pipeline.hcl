source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }

sink "stdout" "dead" { from = sink.*.errors }
