source "file" "in" { path = "log.json" }

filter "f" {
  from  = source.file.in
  where = "data.srcip != null"
}

sink "stdout" "out" { from = filter.f }
