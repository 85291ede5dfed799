source "file" "alerts" {
  path   = "a.json"
  follow = "sometimes"
}

sink "stdout" "out" { from = source.file.alerts }
