source "file" "alerts" {
  for_each = [{ path = "a" }]
  path     = each.value
}

sink "stdout" "out" { from = source.file.alerts }
