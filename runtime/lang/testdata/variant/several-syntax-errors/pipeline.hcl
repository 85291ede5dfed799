source "file" "alerts" { path = "a.json", follow = false }

filter "windows" {
  from  = source.file.alerts
  where = "data["x"] == 1"
}

sink "stdout" "out" { from: filter.windows }

sink "stdout" "other" { from = filter.nowhere }

filter "known" {
  from  = filter.windows
  where = "rule.level > local.level"
}

locals {
  level: 3
  list = [1 2]
  name = "x"
}
