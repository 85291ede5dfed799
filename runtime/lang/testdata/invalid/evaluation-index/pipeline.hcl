locals {
  a = { x = 1 }
  b = local.a.y
}

source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
