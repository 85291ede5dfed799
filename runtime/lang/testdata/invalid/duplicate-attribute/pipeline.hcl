source "file" "alerts" {
  path = "a.json"
  path = "b.json"
}

sink "stdout" "out" { from = source.file.alerts }
