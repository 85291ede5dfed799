package lua

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/event"
)

// The Windows job on a usual alert, from the event's bytes to the message's
// bytes: by the proxy and the Go helpers, and, to know what they are worth, by a
// plain table and Lua's own strings.

func BenchmarkWindows(b *testing.B) {
	benchmarkWindows(b, map[string]any{"script": "lua/dfn_windows.lua"})
}

func BenchmarkWindowsPlainTables(b *testing.B) {
	benchmarkWindows(b, map[string]any{"code": plainWindows})
}

func benchmarkWindows(b *testing.B, values map[string]any) {
	alert, err := os.ReadFile(filepath.Join(alertsDir, "win-4625-with-ip.json"))
	if err != nil {
		b.Fatal(err)
	}
	alert = []byte(compactJSON(b, alert))
	w := workerOf(b, configOf(b, values, nil))
	stream := eventOf("{}").Stream()
	var line event.Event // as the engine has it: a filter has looked into it, then it is kept
	var out []byte
	var slab event.Slab
	b.ReportAllocs()
	b.SetBytes(int64(len(alert)))
	for b.Loop() {
		line.Recycle(stream, 0, alert, time.Time{}, ack.Token{}, nil)
		if _, err := line.Root(); err != nil {
			b.Fatal(err)
		}
		err := w.Process(line.Keep(&slab), func(e *event.Event) { out = e.AppendJSON(out[:0]) })
		if err != nil {
			b.Fatal(err)
		}
	}
	if len(out) < 3000 {
		b.Fatalf("%d bytes came out", len(out))
	}
}

// plainWindows is the same job without proxy and helpers.
const plainWindows = `
local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }
local function escape(s) return (tostring(s):gsub('[&<>"]', ENTITIES)) end
local function element(name, text) return "<" .. name .. ">" .. escape(text) .. "</" .. name .. ">" end

function process(event)
  local alert = etl.copy(event)
  local s, out = alert.data.win.system, {}
  local function add(x) out[#out + 1] = x end
  add('<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System>')
  add('<Provider Name="' .. escape(s.providerName) .. '" Guid="' .. escape(s.providerGuid) .. '" />')
  add(element("EventID", s.eventID)) add(element("Version", s.version)) add(element("Level", s.level))
  add(element("Task", s.task)) add(element("Opcode", s.opcode)) add(element("Keywords", s.keywords))
  add('<TimeCreated SystemTime="' .. escape(s.systemTime) .. '" />')
  add(element("EventRecordID", s.eventRecordID)) add('<Correlation />')
  add('<Execution ProcessID="' .. escape(s.processID) .. '" ThreadID="' .. escape(s.threadID) .. '" />')
  add(element("Channel", s.channel)) add(element("Computer", s.computer)) add('<Security /></System><EventData>')
  for name, value in pairs(alert.data.win.eventdata) do
    add('<Data Name="' .. escape(name:gsub("^%l", string.upper)) .. '">' .. escape(value) .. '</Data>')
  end
  add('</EventData></Event>')
  local text = table.concat(out)
  return { timestamp = alert.timestamp, event_raw = text, body = text, event_format = "windows-xml",
    event_forward = true, event_parser = "wazuh", event_source = "soc-agent", data = alert.data }
end`
