source "file" "alerts" { path = "alerts.json" }

filter "windows" {
  from  = source.file.alerts
  where = <<-EXPR
    full_log matches `fail2ban(`
  EXPR
}

sink "stdout" "out" { from = filter.windows }
