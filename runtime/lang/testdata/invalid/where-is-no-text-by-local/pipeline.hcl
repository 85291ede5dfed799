locals {
  busy = 3
}

source "file" "alerts" { path = "alerts.json" }

filter "windows" {
  from  = source.file.alerts
  where = local.busy
}

sink "stdout" "out" { from = filter.windows }
