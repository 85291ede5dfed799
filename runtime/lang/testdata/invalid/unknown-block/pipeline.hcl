source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }

filtr "windows" {
  from  = source.file.alerts
  where = "rule.level > 3"
}
