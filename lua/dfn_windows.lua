-- An alert about a Windows event as DFN-CERT wants it: the event as XML.
local windows_xml = require "windows_xml"

function process(alert)
  local data = alert.data
  local event = windows_xml.event(data.win)
  return etl.object(
    "timestamp", alert.timestamp or etl.null,
    "event_raw", event,
    "body", event,
    "event_format", "windows-xml",
    "event_forward", true,
    "event_parser", "wazuh",
    "event_source", "soc-agent",
    "data", data)
end
