source "file" "in" { path = "log.json" }

filter "f" {
  from  = source.file.in
  where = "meta.erorr == nil"
}

sink "stdout" "out" { from = filter.f }
