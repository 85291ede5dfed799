variable "min_level" { default = "3" }

source "file" "alerts" { path = "alerts.json" }

filter "windows" {
  from  = source.file.alerts
  where = "rule.level >= var.minlevel"
}

sink "stdout" "out" { from = filter.windows }
