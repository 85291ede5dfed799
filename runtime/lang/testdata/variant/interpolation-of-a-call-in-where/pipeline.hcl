source "file" "alerts" { path = "alerts.json" }

filter "windows" {
  from  = source.file.alerts
  where = "rule.level > ${1 + 2}"
}

sink "stdout" "out" { from = filter.windows }
