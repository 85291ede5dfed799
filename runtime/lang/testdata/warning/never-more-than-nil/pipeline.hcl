source "file" "in" { path = "log.json" }

filter "f" {
  from  = source.file.in
  where = "rule.level > 3 or 'a' + 1 == nil"
}

sink "stdout" "out" { from = filter.f }
