source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }

test "something" {
  input "source.file.alerts" { event = { a = 1 } }
  expect "sink.stdout.out" { count = 1 }
}

test "something" {
  input "source.file.alerts" { event = { a = 1 } }
  expect "sink.stdout.out" { count = 1 }
}
