source "file" "alerts" {
  path = "a.json"
  from = sink.stdout.out
}

sink "stdout" "out" { from = source.file.alerts }
