locals { watched = ["4625"] }

source "file" "alerts" { path = "alerts.json" }

filter "windows" {
  from  = source.file.alerts
  where = "data.win.system.eventID in local.watch"
}

sink "stdout" "out" { from = filter.windows }
