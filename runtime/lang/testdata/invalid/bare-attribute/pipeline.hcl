source "file" "alerts" {
  follow
}

sink "stdout" "out" { from = source.file.alerts }
