source "file" "alerts" {
  for_each = ["east", "west"]
  path     = each.value
}

sink "stdout" "out" { from = source.file.alerts["wast"] }
