source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }

test "something" {
  input "source.file.alerts" { event = {} }
  mock "sink.stdout.out" {}
}
