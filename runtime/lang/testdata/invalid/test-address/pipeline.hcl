source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }

test "something" {
  input "source.file.alert" { event = {} }
  expect "sink.stdout.out" { count = 1 }
}
