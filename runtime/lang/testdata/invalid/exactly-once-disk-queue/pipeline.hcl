source "stdin" "alerts" {
  queue {
    storage = "disk"
  }
}

sink "ledger" "out" {
  from     = source.stdin.alerts
  delivery = "exactly_once"
}
