source "file" "alerts" {
  for_each = ["a", "b"]
  path     = each.value
}

sink "stdout" "out" { from = source.file.alerts }

test "something" {
  input "source.file.alerts" { event = {} }
  expect "sink.stdout.out" { count = 1 }
}
