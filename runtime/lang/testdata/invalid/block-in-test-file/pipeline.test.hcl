filter "a" {
  from  = source.file.alerts
  where = "true"
}
