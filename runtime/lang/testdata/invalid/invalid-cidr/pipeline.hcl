source "file" "alerts" { path = "alerts.json" }

filter "windows" {
  from  = source.file.alerts
  where = "in_cidr(data.srcip, '10.0.0.0/33')"
}

sink "stdout" "out" { from = filter.windows }
