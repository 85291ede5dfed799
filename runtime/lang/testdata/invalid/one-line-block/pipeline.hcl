source "file" "alerts" { path = "a.json", follow = false }

sink "stdout" "out" { from = source.file.alerts }
