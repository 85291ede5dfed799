-- An alert about a Windows event as DFN-CERT wants it: the event as XML.

-- A local is found at once, a global by its name each time.
local windows_event = require("windows_xml").event
local object, null = etl.object, etl.null

function process(alert)
  local data = alert.data
  local event = windows_event(data.win)
  return object(
    "timestamp", alert.timestamp or null,
    "event_raw", event,
    "body", event,
    "event_format", "windows-xml",
    "event_forward", true,
    "event_parser", "wazuh",
    "event_source", "soc-agent",
    "data", data)
end
