source "file" "alerts" {
  path = "alerts.json"
  queue { when_full = "drop_newest" }
}

sink "ledger" "out" {
  from     = source.file.alerts
  delivery = "exactly_once"
}
