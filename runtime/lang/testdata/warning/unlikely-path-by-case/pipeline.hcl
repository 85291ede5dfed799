source "file" "alerts" {
  path    = "alerts.json"
  profile = "wazuh4"
 }

filter "windows" {
  from  = source.file.alerts
  where = <<-EXPR
    data.win.system.eventId == "4625"
      and origin.agent.Name != nil
  EXPR
}

sink "stdout" "out" { from = filter.windows }
