source "file" "alerts" {
  for_each = ["a", "b", "a"]
  path     = each.value
}

sink "stdout" "out" { from = source.file.alerts }
