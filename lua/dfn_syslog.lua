-- An alert about a line of fail2ban's log as DFN-CERT wants it.
local SEVERITIES = { NOTICE = 5, WARNING = 4, ERROR = 3 }
local FACILITY = 4 -- security
local PREFIX = "fail2ban: "

-- A local is found at once, a global by its name each time.
local object, null, type, tostring = etl.object, etl.null, type, tostring

function process(alert)
  local data, log = alert.data, alert.full_log
  if type(log) ~= "string" then
    error("full_log is " .. (log == nil and "missing" or "no text"), 0)
  end
  if log:sub(1, #PREFIX) == PREFIX then log = log:sub(#PREFIX + 1) end

  local word = data.severity
  if type(word) ~= "string" then word = "" end
  local severity = SEVERITIES[word] or 6
  local priority = 8 * FACILITY + severity
  local host = type(alert.agent) == "table" and alert.agent.name or nil

  return object(
    "timestamp", alert.timestamp or null,
    "event_format", "syslog5424-json",
    "event_forward", true,
    "event_parser", "wazuh",
    "event_source", "soc-agent",
    "hostName", host or null,
    "structuredData", "",
    "body", log:sub(log:find(word, 1, true) or 1),
    "appName", data.program_name,
    "appInst", data.program_name,
    "procId", data.pid,
    "facility", tostring(FACILITY),
    "priority", priority,
    "severity", severity,
    "event_raw", ("<%d> 1 %s"):format(priority, log))
end
