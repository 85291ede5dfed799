sink "blackhole" "dfn" { from = [transform.lua.windows_event, transform.lua.syslog_message] }
