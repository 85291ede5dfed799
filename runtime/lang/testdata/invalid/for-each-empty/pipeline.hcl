source "file" "alerts" {
  for_each = {}
  path     = each.value
}

sink "stdout" "out" { from = source.file.alerts["a"] }
