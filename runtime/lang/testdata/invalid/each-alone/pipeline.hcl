source "file" "alerts" {
  for_each = ["a"]
  path     = each
}

sink "stdout" "out" { from = source.file.alerts }
