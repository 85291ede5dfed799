source "file" "alerts" {
  for_each = [each.key]
  path     = each.value
}

sink "stdout" "out" { from = source.file.alerts }
