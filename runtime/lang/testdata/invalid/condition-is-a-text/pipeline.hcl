source "file" "in" { path = "log.json" }

filter "f" {
  from  = source.file.in
  where = "rule.level > 3 and lower(agent.name)"
}

sink "stdout" "out" { from = filter.f }
