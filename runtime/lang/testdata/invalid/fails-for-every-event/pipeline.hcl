source "file" "in" { path = "log.json" }

filter "f" {
  from  = source.file.in
  where = "len(repeat('x', 1000000000)) > 0"
}

sink "stdout" "out" { from = filter.f }
