source "file" "alerts" { path = "alerts.json" }

transform "map" "x" {
  from = source.file.alerts
  set  = { a = 1 }
}

sink "stdout" "out" { from = transform.map.x }

test "something" {
  input "source.file.alerts" { event = {} }
  mock "transform.map.x" { error = "no" }
}
