source "file" "alerts" {
  path = "a.json"
  rate = 300
}

sink "stdout" "out" { from = source.file.alerts }
