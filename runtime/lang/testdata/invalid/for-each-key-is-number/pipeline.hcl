source "file" "alerts" {
  for_each = ["a", "b"]
  path     = each.value
}

sink "stdout" "out" { from = source.file.alerts[0] }
