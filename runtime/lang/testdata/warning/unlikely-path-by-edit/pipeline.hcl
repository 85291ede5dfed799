source "file" "alerts" {
  path    = "alerts.json"
  profile = "wazuh4"
 }

filter "windows" {
  from  = source.file.alerts
  where = "rule.levl > 3"
}

sink "stdout" "out" { from = filter.windows }
