source "file" "alerts" {
  path    = "alerts.json"
  profile = "wazuh4"
 }

sink "kafka" "dfn" {
  from    = source.file.alerts
  brokers = ["k:9092"]
  topic   = "dfn-{{ agent.nam ?? 'x' }}"
}
