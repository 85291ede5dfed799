source "stdin" "alerts" {}

sink "stdout" "a" { from = source.stdin.alerts }

sink "stdout" "b" { from = source.stdin.alerts }

sink "stdout" "c" {
  from = source.stdin.alerts
  queue { when_full = "drop_newest" }
}
