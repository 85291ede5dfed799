source "file" "alerts" { path = "alerts.json" }

filter "windows" {
  where = "true"
}

sink "stdout" "out" { from = filter.windows }
