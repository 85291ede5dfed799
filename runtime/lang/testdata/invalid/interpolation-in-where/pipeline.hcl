variable "min" { default = "3" }

source "file" "alerts" { path = "alerts.json" }

filter "windows" {
  from  = source.file.alerts
  where = "rule.level > ${var.min}"
}

sink "stdout" "out" { from = filter.windows }
