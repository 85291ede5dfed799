locals {
  a = local.b
  b = [local.c]
  c = local.a
}

source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
