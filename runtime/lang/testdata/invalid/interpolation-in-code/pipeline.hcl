source "file" "alerts" { path = "alerts.json" }

transform "lua" "x" {
  from = source.file.alerts
  code = <<-LUA
    function process(e) e.x = "${e}" return e end
  LUA
}

sink "stdout" "out" { from = transform.lua.x }
