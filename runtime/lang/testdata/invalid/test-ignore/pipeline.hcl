source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }

test "something" {
  ignore = "sink.stdout.out"
  input "source.file.alerts" { event = {} }
}
