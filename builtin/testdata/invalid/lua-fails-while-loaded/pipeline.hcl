source "file" "alerts" { path = "alerts.json" }

transform "lua" "x" {
  from = source.file.alerts
  script = "fails.lua"
}

sink "stdout" "out" { from = transform.lua.x }
