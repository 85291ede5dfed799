locals {
  a = env("ETL_NOT_SET")
}

source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
