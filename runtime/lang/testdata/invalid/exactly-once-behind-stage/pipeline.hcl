source "file" "alerts" { path = "alerts.json" }

transform "count" "minute" { from = source.file.alerts }

filter "many" {
  from  = transform.count.minute
  where = "rule.level > 10"
}

sink "ledger" "out" {
  from     = [source.file.alerts, filter.many]
  delivery = "exactly_once"
}
