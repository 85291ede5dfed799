source "file" "alerts" { path = "alerts.json" }

transform "lua" "x" {
  from = source.file.alerts
  code = <<-LUA
    function process(e) return e.x:gsub("%{2}", "") end
  LUA
}

sink "stdout" "out" { from = transform.lua.x }
