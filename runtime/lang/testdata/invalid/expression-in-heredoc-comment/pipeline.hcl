source "file" "alerts" { path = "alerts.json" }

filter "windows" {
  from  = source.file.alerts
  where = <<-EXPR
    rule.level > 3 # only the bad ones
  EXPR
}

sink "stdout" "out" { from = filter.windows }
