source "file" "alerts" {
  for_each = { a = { path = "x" }, b = {} }
  path     = each.value.path
}

sink "stdout" "out" { from = source.file.alerts }
