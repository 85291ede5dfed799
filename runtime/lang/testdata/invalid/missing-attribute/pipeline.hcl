source "file" "alerts" {
}

sink "stdout" "out" { from = source.file.alerts }
