source "file" "alerts" { path = "alerts.json" }

filter "f" {
  from  = source.file.alerts
  where = "true"
}

sink "stdout" "out" { from = filter.f }

test "something" {
  input "source.file.alerts" { event = {} }
  mock "sink.stdout.out" { error = "no" }
  mock "sink.stdout.out" { set = { a = 1 } }
}
