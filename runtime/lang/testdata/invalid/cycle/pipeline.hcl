source "file" "alerts" { path = "alerts.json" }

filter "a" {
  from  = [source.file.alerts, filter.c]
  where = "rule.level > 3"
}

filter "b" {
  from  = filter.a.rejected
  where = "rule.level > 4"
}

filter "c" {
  from  = filter.b
  where = "rule.level > 5"
}

sink "stdout" "out" { from = filter.c }
