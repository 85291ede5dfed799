source "file" "alerts" {
  for_each = { "a/b" = "x", "a\"b" = "y" }
  path     = each.value
}

sink "stdout" "out" { from = source.file.alerts }
