source "file" "alerts" {
  for_each = 3
  path     = each.value
}

sink "stdout" "out" { from = source.file.alerts }
