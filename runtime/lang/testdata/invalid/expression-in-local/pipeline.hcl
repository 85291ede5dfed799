locals {
  bad = "rule.level >"
}

source "file" "alerts" { path = "alerts.json" }

filter "windows" {
  from  = source.file.alerts
  where = local.bad
}

sink "stdout" "out" { from = filter.windows }
