source "file" "in" { path = "log.json" }

filter "f" {
  from  = source.file.in
  where = "in_cidr(data.srcip, '10.1.2.3/8')"
}

sink "stdout" "out" { from = filter.f }
