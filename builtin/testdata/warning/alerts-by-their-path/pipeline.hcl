source "file" "alerts" {
  path = "/var/ossec/logs/alerts/alerts.json"
}

source "file" "others" {
  path = "/var/log/others.json"
}

filter "groups" {
  from  = source.file.alerts
  where = "'sshd' in rule.grups and data.srcip2 == nil"
}

# Nothing is known of what stands here.
filter "others" {
  from  = source.file.others
  where = "'sshd' in rule.grups"
}

# The pipeline itself sets it.
transform "map" "own" {
  from = source.file.alerts
  set  = { "rule.grups" = "{{ rule.groups }}" }
}

filter "own" {
  from  = transform.map.own
  where = "'sshd' in rule.grups and origin.data.scrip != nil"
}

sink "stdout" "out" { from = [filter.groups, filter.others, filter.own] }
