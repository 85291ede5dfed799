locals {
  a = [1, 2]
  b = local.a + 1
}

source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
