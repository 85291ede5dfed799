source "file" "alerts" { for_each = ["a", "b"] }

sink "stdout" "out" { from = source.file.alerts }
