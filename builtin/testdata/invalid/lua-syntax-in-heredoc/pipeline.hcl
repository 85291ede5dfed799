source "file" "alerts" { path = "alerts.json" }

transform "lua" "x" {
  from = source.file.alerts
  code = <<-LUA
    function process(event)
      local é = event.x
      return event event
    end
  LUA
}

sink "stdout" "out" { from = transform.lua.x }
