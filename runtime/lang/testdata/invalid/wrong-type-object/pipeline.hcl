source "file" "alerts" { path = "alerts.json" }

transform "map" "less" {
  from = source.file.alerts
  set  = "{{ id }}"
}

sink "stdout" "out" { from = transform.map.less }
