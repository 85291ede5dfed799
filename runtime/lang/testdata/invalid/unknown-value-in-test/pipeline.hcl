#! test something
variable "min" { type = number }

source "file" "alerts" { path = "alerts.json" }

filter "windows" {
  from  = source.file.alerts
  where = "rule.level > var.min"
}

sink "stdout" "out" { from = filter.windows }

test "something" {
  input "source.file.alerts" { event = {} }
}
