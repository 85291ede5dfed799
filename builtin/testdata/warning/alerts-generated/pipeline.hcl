source "generate" "alerts" { count = 10 }

filter "high" {
  from  = source.generate.alerts
  where = "rule.lveel > 10"
}

sink "stdout" "out" { from = filter.high }
