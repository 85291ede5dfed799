# Example alerts -> what wazuh-dfn makes of them -> a NATS JetStream server inside this very process.
#
#   etl run pipelines/quickstart.hcl
#
# It reads for about ten seconds, ends by itself, and says how to look at what it delivered.

variable "alerts_file" {
  type        = string
  default     = "../testdata/alerts/alerts.jsonl"
  description = "Alerts as a Wazuh manager writes them, one a line"
}

variable "rate" {
  type        = string
  default     = "160/m" # 26 alerts in about 10 seconds, so that a person sees them move
  description = "How fast the alerts are read"
}

runtime { state = "temporary" } # each run begins anew; --state-dir keeps what it was

locals {
  windows_events = [
    "1100", "1102", "3697", "4625", "4672", "4697", "4698",
    "4702", "4719", "4720", "4724", "4794", "4964",
  ]
}

source "file" "alerts" {
  path   = var.alerts_file
  follow = false
  rate   = var.rate
}

filter "windows" {
  from  = source.file.alerts
  where = "data.win.system.eventID in local.windows_events"
}

filter "fail2ban" {
  from  = source.file.alerts
  where = <<-EXPR
    data.program_name == "fail2ban.actions"
      and "fail2ban" in rule.groups
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

sink "nats" "alerts" {
  from    = [transform.lua.windows_event, transform.lua.syslog_message]
  subject = "alerts.{{ origin.agent.name ?? 'unknown' }}"
  embedded {}
}

test "a failed logon becomes Windows Event XML on its agent's subject" {
  input "source.file.alerts" { file = "../testdata/alerts/win-4625-no-ip.json" }
  expect "sink.nats.alerts" {
    count  = 1
    golden = "../testdata/alerts/expected/win-4625-no-ip.kafka.json"
    where  = "meta.sink.subject == 'alerts.fs-ochre'"
  }
}

test "a ban becomes a syslog message" {
  input "source.file.alerts" { file = "../testdata/alerts/f2b-ban-public.json" }
  expect "sink.nats.alerts" { golden = "../testdata/alerts/expected/f2b-ban-public.kafka.json" }
}

test "private addresses and other events stay at home" {
  input "source.file.alerts" { file = "../testdata/alerts/alerts.jsonl" }
  expect "sink.nats.alerts" { count = 16 }
  expect "filter.fail2ban.rejected" { where = "data.program_name != 'fail2ban.actions' or not is_public(data.srcip)" }
  expect "source.file.alerts.errors" { count = 1 }
}
