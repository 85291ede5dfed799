source "file" "alerts" { path = "alerts.json" }

transform "lua" "x" {
  from = source.file.alerts
  script = "bad.lua"
  code   = "function process(e) return e end"
}

sink "stdout" "out" { from = transform.lua.x }
