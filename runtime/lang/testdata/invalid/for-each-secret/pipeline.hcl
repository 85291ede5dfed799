variable "hosts" {
  type      = list(string)
  sensitive = true
  default   = ["host1"]
}

source "file" "alerts" {
  for_each = var.hosts
  path     = each.value
}

sink "stdout" "out" { from = source.file.alerts }
