source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" {
  from    = source.file.alerts
  payload = { id = "{{ id }}", id = "{{ rule.id }}" }
}
