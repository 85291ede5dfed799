source "file" "alerts" { path = "alerts.json" }

transform "lua" "x" {
  from   = source.file.alerts
  script = "lang_test.go"
}

sink "stdout" "out" { from = transform.lua.x }
