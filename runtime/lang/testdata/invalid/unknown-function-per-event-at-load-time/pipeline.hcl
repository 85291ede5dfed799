locals {
  x = is_public("1.1.1.1")
}

source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
