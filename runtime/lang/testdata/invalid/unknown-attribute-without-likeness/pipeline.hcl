source "stdin" "alerts" { zzzz = 1 }

sink "stdout" "out" { from = source.stdin.alerts }
