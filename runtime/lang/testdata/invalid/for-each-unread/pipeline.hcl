source "file" "alerts" { path = "alerts.json" }

source "file" "more" {
  for_each = ["a", "b"]
  path     = each.value
}

sink "stdout" "out" { from = source.file.alerts }
