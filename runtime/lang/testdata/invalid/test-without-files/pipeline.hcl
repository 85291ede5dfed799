source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }

test "something" {
  input "source.file.alerts" { file = "alerts/*.json" }
  expect "sink.stdout.out" { count = 1 }
}
