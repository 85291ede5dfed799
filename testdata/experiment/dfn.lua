-- What goes out for an alert: names and values in turn.

local MANIFEST = ' xmlns="http://manifests.microsoft.com/win/2004/08/windows/eventlog"'

local function content(id, win)
  if id == "4625" then
    return "<EventData>" .. data(win.eventdata, "ipAddress", "ipPort") .. "</EventData>"
  elseif id == "1102" then
    return "<UserData><LogFileCleared" .. MANIFEST .. ">" .. elements(win.logFileCleared) .. "</LogFileCleared></UserData>"
  elseif id == "1100" then
    return "<UserData><ServiceShutdown" .. MANIFEST .. " /></UserData>"
  end
  return "<EventData>" .. data(win.eventdata) .. "</EventData>"
end

function windows_event(alert)
  local w = alert.data.win
  local s = w.system
  local id = s.eventID
  local text = '<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><Provider Name="' .. escape(s.providerName)
    .. '" Guid="' .. escape(s.providerGuid) .. '" />' .. element("EventID", id) .. element("Version", s.version)
    .. element("Level", s.level) .. element("Task", s.task) .. element("Opcode", s.opcode) .. element("Keywords", s.keywords)
    .. '<TimeCreated SystemTime="' .. escape(s.systemTime) .. '" />' .. element("EventRecordID", s.eventRecordID)
    .. '<Correlation /><Execution ProcessID="' .. escape(s.processID) .. '" ThreadID="' .. escape(s.threadID) .. '" />'
    .. element("Channel", s.channel) .. element("Computer", s.computer) .. "<Security /></System>" .. content(id, w) .. "</Event>"
  return { "timestamp", alert.timestamp, "event_raw", text, "body", text, "event_format", "windows-xml", "event_forward", true,
    "event_parser", "wazuh", "event_source", "soc-agent", "data", alert.data }
end

local SEVERITIES = { NOTICE = 5, WARNING = 4, ERROR = 3 }

function syslog_message(alert)
  local data = alert.data
  local log = alert.full_log:gsub("^fail2ban: ", "")
  local word = data.severity or ""
  local severity = SEVERITIES[word] or 6
  local priority = 32 + severity
  return { "timestamp", alert.timestamp, "event_format", "syslog5424-json", "event_forward", true, "event_parser", "wazuh",
    "event_source", "soc-agent", "hostName", alert.agent.name, "structuredData", "", "body", log:sub(log:find(word, 1, true) or 1),
    "appName", data.program_name, "appInst", data.program_name, "procId", data.pid, "facility", "4", "priority", priority,
    "severity", severity, "event_raw", ("<%d> 1 %s"):format(priority, log) }
end
