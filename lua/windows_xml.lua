-- Windows events, as Wazuh's decoder gives them, back in the XML of the event log.
--
--   local windows_xml = require "windows_xml"
--   windows_xml.event(alert.data.win)  the event as XML
--
-- Values go out as they were written, numbers and objects as their JSON text. What is null is an
-- empty element, and an attribute that is missing is left out.
local xml = require "xml"

local element, empty, text, texts = xml.element, xml.empty, etl.text, etl.texts

local EVENT = { "xmlns", "http://schemas.microsoft.com/win/2004/08/events/event" }
local USER_DATA = { "xmlns", "http://manifests.microsoft.com/win/2004/08/windows/eventlog" }

local function upper_first(name)
  return name:sub(1, 1):upper() .. name:sub(2)
end

local function system(s)
  return element("System", nil,
    empty("Provider", { "Name", text(s, "providerName"), "Guid", text(s, "providerGuid") }),
    element("EventID", nil, text(s, "eventID")),
    element("Version", nil, text(s, "version")),
    element("Level", nil, text(s, "level")),
    element("Task", nil, text(s, "task")),
    element("Opcode", nil, text(s, "opcode")),
    element("Keywords", nil, text(s, "keywords")),
    empty("TimeCreated", { "SystemTime", text(s, "systemTime") }),
    element("EventRecordID", nil, text(s, "eventRecordID")),
    empty("Correlation"),
    empty("Execution", { "ProcessID", text(s, "processID"), "ThreadID", text(s, "threadID") }),
    element("Channel", nil, text(s, "channel")),
    element("Computer", nil, text(s, "computer")),
    empty("Security"))
end

-- What an event of this number must have, and the manager leaves out where it was "-".
local ALWAYS = { ["4625"] = { "IpAddress", "IpPort" } }

local function event_data(id, data)
  if data == nil or data == etl.null then return nil end
  if type(data) ~= "table" or #data > 0 then -- no names: one element with all of it
    return element("EventData", nil, element("Data", nil, text(data)))
  end
  local out, always = {}, ALWAYS[id]
  local seen = always and {}
  for name, value in texts(data) do
    out[#out + 1] = element("Data", { "Name", upper_first(name) }, value)
    if seen then seen[name:lower()] = true end
  end
  for _, name in ipairs(always or {}) do
    if not seen[name:lower()] then out[#out + 1] = element("Data", { "Name", name }, "-") end
  end
  return element("EventData", nil, out)
end

-- Events that have UserData instead: the member of win, and the element.
local FORMS = {
  ["1100"] = { "serviceShutdown", "ServiceShutdown" },
  ["1102"] = { "logFileCleared", "LogFileCleared" },
}

local function user_data(form, win)
  local data, out = win[form[1]], {}
  if type(data) == "table" and #data == 0 then
    for name, value in texts(data) do
      out[#out + 1] = element(xml.name(upper_first(name)), nil, value)
    end
  elseif data ~= nil then
    out[1] = text(data)
  end
  return element("UserData", nil, element(form[2], USER_DATA, out))
end

local M = {}

function M.event(win)
  local id = text(win.system, "eventID")
  local form, data = FORMS[id], win.eventdata
  local body
  if form and (win[form[1]] ~= nil or data == nil or data == etl.null) then
    body = user_data(form, win)
  else
    body = event_data(id, data)
  end
  return element("Event", EVENT, system(win.system), body)
end

return M
