source "file" "in" { path = "log.json" }

filter "f" {
  from  = source.file.in
  where = "lower() == 'a'"
}

sink "stdout" "out" { from = filter.f }
