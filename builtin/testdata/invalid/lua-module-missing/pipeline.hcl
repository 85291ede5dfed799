source "file" "alerts" { path = "alerts.json" }

transform "lua" "x" {
  from = source.file.alerts
  code = <<-LUA
    local xml = require "xlm"
    function process(event) return event end
  LUA
}

sink "stdout" "out" { from = transform.lua.x }
