source "file" "alerts" { path = 'a.json' }

sink "stdout" "out" { from = source.file.alerts }
