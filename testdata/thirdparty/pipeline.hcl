# Bans of fail2ban as log lines in Loki.

source "file" "alerts" {
  path   = "../alerts/alerts.jsonl"
  follow = false
}

filter "bans" {
  from  = source.file.alerts
  where = "'fail2ban' in rule.groups and data.actiontaken == 'Ban'"
}

sink "loki" "bans" {
  from    = filter.bans
  url     = "http://localhost:3100"
  labels  = { job = "wazuh", agent = "{{ agent.name }}" }
  payload = { ip = "{{ data.srcip }}", jail = "{{ data.service }}" }
}

test "a ban is a line" {
  input "source.file.alerts" { file = "../alerts/f2b-ban-public.json" }
  expect "sink.loki.bans" { equals = { ip = "1.1.1.77", jail = "sshd" } }
}

test "what Loki refuses is known" {
  input "source.file.alerts" { file = "../alerts/f2b-ban-public.json" }
  mock "sink.loki.bans" { error = "line too long" }
  expect "sink.loki.bans.errors" { count = 1 }
}
