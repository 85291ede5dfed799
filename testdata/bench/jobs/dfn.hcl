# The DFN job: what pipelines/wazuh-dfn.hcl does with an alert, without the receipts, which no other contender sends.

variable "alerts_file" { type = string }

locals {
  own_network = ["192.0.2.0/24"]

  windows_events = [
    "1100", "1102", "3697", "4625", "4672", "4697", "4698",
    "4702", "4719", "4720", "4724", "4794", "4964",
  ]
}

source "file" "alerts" { path = var.alerts_file }

filter "windows" {
  from  = source.file.alerts
  where = "data.win.system.eventID in local.windows_events"
}

filter "fail2ban" {
  from  = source.file.alerts
  where = <<-EXPR
    data.program_name == "fail2ban.actions"
      and data.srcip != nil
      and "fail2ban" in rule.groups
      and not in_cidr(data.srcip, local.own_network)
      and is_public(data.srcip)
  EXPR
}

transform "lua" "windows_event" {
  from   = filter.windows
  script = "lua/dfn_windows.lua"
}

transform "lua" "syslog_message" {
  from   = filter.fail2ban
  script = "lua/dfn_syslog.lua"
}
