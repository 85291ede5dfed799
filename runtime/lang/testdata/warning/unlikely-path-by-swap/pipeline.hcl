source "file" "alerts" {
  path    = "alerts.json"
  profile = "wazuh4"
 }

filter "bans" {
  from  = source.file.alerts
  where = "data.scrip != nil and rule.lveel > 3 and agent.nmae != nil and data.srcip2 != nil"
}

sink "stdout" "out" { from = filter.bans }
