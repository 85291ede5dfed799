source "file" "alerts" { path = "alerts.json" }

transform "lua" "x" {
  from = source.file.alerts
  script = "lua/dfn_windwos.lua"
}

sink "stdout" "out" { from = transform.lua.x }
