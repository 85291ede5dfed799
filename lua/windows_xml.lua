-- Windows events, as Wazuh's decoder gives them, back in the XML of the event log.
--
--   local windows_xml = require "windows_xml"
--   windows_xml.event(alert.data.win)  the event as XML
--
-- Values go out as they were written, numbers and objects as their JSON text. What is null is an
-- empty element, and an attribute that is missing is left out.
local xml = require "xml"

local element, named = xml.element, xml.named
local text, texts, is_object, null = etl.text, etl.texts, etl.is_object, etl.null

-- The event with its content, which is written where it stands: an element made on its own would be
-- copied into the event.
local function event_with(content)
  return xml.template([[
<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event">
  <System>
    <Provider Name="{providerName}" Guid="{providerGuid}" />
    <EventID>{eventID}</EventID>
    <Version>{version}</Version>
    <Level>{level}</Level>
    <Task>{task}</Task>
    <Opcode>{opcode}</Opcode>
    <Keywords>{keywords}</Keywords>
    <TimeCreated SystemTime="{systemTime}" />
    <EventRecordID>{eventRecordID}</EventRecordID>
    <Correlation />
    <Execution ProcessID="{processID}" ThreadID="{threadID}" />
    <Channel>{channel}</Channel>
    <Computer>{computer}</Computer>
    <Security />
  </System>
  ]] .. content .. [[
</Event>]])
end

local BARE_EVENT = event_with ""
local DATA_EVENT = event_with "<EventData>{...}</EventData>\n"
local USER_EVENT = event_with "<UserData>{...}</UserData>\n"

local USER_DATA = { "xmlns", "http://manifests.microsoft.com/win/2004/08/windows/eventlog" }

-- What an event of this number must have, and the manager leaves out where it was "-".
local ALWAYS = { ["4625"] = { "ipAddress", "-", "ipPort", "-" } }

-- Events that have UserData instead: the member of win, and the element.
local FORMS = {
  ["1100"] = { "serviceShutdown", "ServiceShutdown" },
  ["1102"] = { "logFileCleared", "LogFileCleared" },
}

local function user_data(form, win)
  local data, out = win[form[1]], {}
  if is_object(data) then
    for name, value in texts(data) do
      out[#out + 1] = element(xml.name(etl.capitalize(name)), nil, value)
    end
  else
    out[1] = text(win, form[1])
  end
  return element(form[2], USER_DATA, out)
end

local M = {}

function M.event(win)
  local system, data = win.system, win.eventdata
  local id = text(system, "eventID")
  local form = FORMS[id]
  if form and (win[form[1]] ~= nil or data == nil or data == null) then
    return USER_EVENT(system, user_data(form, win))
  end
  if is_object(data) then
    return DATA_EVENT(system, named(data, "Data", "Name", true, ALWAYS[id]))
  end
  if data == nil or data == null then return BARE_EVENT(system) end
  return DATA_EVENT(system, element("Data", nil, text(win, "eventdata"))) -- no names: one element with all of it
end

return M
