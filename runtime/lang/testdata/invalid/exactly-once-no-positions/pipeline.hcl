source "stdin" "alerts" {}

filter "high" {
  from  = source.stdin.alerts
  where = "rule.level > 3"
}

sink "ledger" "out" {
  from     = filter.high
  delivery = "exactly_once"
}
