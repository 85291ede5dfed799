source "file" "alerts" { path = "alerts.json" }

transform "lua" "x" {
  from = source.file.alerts
  code = upper("x")
}

sink "stdout" "out" { from = transform.lua.x }
