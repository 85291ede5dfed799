source "file" "alerts" {
  path = "a.json"
  rate = "300 per minute"
}

sink "stdout" "out" { from = source.file.alerts }
