source "file" "alerts" { path = "" }

sink "stdout" "out" { from = source.file.alerts }
