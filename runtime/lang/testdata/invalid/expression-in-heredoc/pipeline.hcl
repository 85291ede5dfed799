source "file" "alerts" { path = "alerts.json" }

filter "windows" {
  from  = source.file.alerts
  where = <<-EXPR
    rule.level > 3
      and data.srcip = "é"
      and true
  EXPR
}

sink "stdout" "out" { from = filter.windows }
