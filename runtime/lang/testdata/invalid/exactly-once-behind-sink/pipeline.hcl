source "file" "alerts" { path = "alerts.json" }

sink "stdout" "first" { from = source.file.alerts }

sink "ledger" "out" {
  from     = sink.stdout.first.delivered
  delivery = "exactly_once"
}
