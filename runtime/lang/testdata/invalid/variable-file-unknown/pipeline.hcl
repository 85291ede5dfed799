#! --var-file testdata/invalid/variable-file-unknown/values.vars
variable "level" {
  type    = number
  default = 3
}

source "file" "alerts" { path = "alerts.json" }

sink "stdout" "out" { from = source.file.alerts }
