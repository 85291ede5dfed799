source "file" "alerts" {
  for_each = ["a"]
  path     = each.name
}

sink "stdout" "out" { from = source.file.alerts }
