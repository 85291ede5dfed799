source "file" "alerts" {
  for_each = ["a", "b"]
  path     = each.value
}

sink "stdout" "out" { from = source.file.alerts }

test "something" {
  mock "source.file.alerts" { event = {} }
  mock "source.file.alerts[\"b\"]" { event = {} }
  expect "sink.stdout.out" { count = 1 }
}
