source "file" "in" { path = "log.json" }

filter "f" {
  from  = source.file.in
  where = "map(rule.groups, #acc) == []"
}

sink "stdout" "out" { from = filter.f }
