source "file" "alerts" {
  for_each = ["a"]
  path     = each.value
}

sink "stdout" "out" { from = source.file.alerts }

locals { x = each.value }
