locals {
  a = regex("(", "x")
}

source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
