source "file" "alerts" { path = "alerts.json" }

sink "ledger" "out" {
  from     = source.file.alerts
  delivery = "exactly_once"
  queue { when_full = "drop_oldest" }
}
