source "file" "alerts" { path = "alerts.json" }

transform "lua" "x" {
  from = source.file.alerts
  code = "function proces(event) return event end"
}

sink "stdout" "out" { from = transform.lua.x }
