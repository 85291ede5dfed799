package lua

import (
	"errors"
	"strings"
	"testing"

	"github.com/wazuh-etl/etl/runtime/event"
)

const (
	eventOpen  = `<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event">`
	systemRest = `<TimeCreated /><EventRecordID /><Correlation /><Execution /><Channel /><Computer /><Security /></System>`
	userXMLNS  = ` xmlns="http://manifests.microsoft.com/win/2004/08/windows/eventlog"`
)

// eventRaw is event_raw of an alert with this win.
func eventRaw(t *testing.T, win string) string {
	t.Helper()
	_, events, err := run(newDFN(t).windows, `{"data":{"win":`+win+`}}`)
	if err != nil {
		t.Fatal(err)
	}
	root, err := events[0].Root()
	if err != nil {
		t.Fatal(err)
	}
	text := root.Get("event_raw").Text()
	if body := root.Get("body").Text(); body != text {
		t.Errorf("body is %s", body)
	}
	wellFormed(t, text)
	return text
}

// The rules of testdata/alerts/README.md, "Where the reference breaks".
func TestWindowsRules(t *testing.T) {
	system := func(id, provider, fields string) string {
		return eventOpen + `<System><Provider` + provider + ` />` + `<EventID>` + id + `</EventID>` + fields
	}
	empty := `<Version /><Level /><Task /><Opcode /><Keywords />` + systemRest
	for _, c := range []struct{ name, win, want string }{
		{"1: what is no text", `{"system":{"eventID":4672,"version":1.0,"level":0,"task":true,"opcode":{"a": 1},"keywords":[1,"x<"],"channel":null,"computer":false}}`,
			system("4672", "", `<Version>1.0</Version><Level>0</Level><Task>true</Task><Opcode>{"a": 1}</Opcode><Keywords>[1,"x&lt;"]</Keywords>`) +
				`<TimeCreated /><EventRecordID /><Correlation /><Execution /><Channel /><Computer>false</Computer><Security /></System></Event>`},
		{"1: in attributes", `{"system":{"eventID":"1","providerName":5,"systemTime":null,"processID":12345678901234567890,"threadID":0}}`,
			eventOpen + `<System><Provider Name="5" /><EventID>1</EventID><Version /><Level /><Task /><Opcode /><Keywords /><TimeCreated SystemTime="" /><EventRecordID /><Correlation /><Execution ProcessID="12345678901234567890" ThreadID="0" /><Channel /><Computer /><Security /></System></Event>`},
		{"1: in eventdata", `{"system":{"eventID":"1"},"eventdata":{"n":1e3,"é":"é","z":null,"f":false,"zero":0,"o":{"a":"\u0041"},"l":[],"e":""}}`,
			system("1", "", empty) + `<EventData><Data Name="N">1e3</Data><Data Name="É">é</Data><Data Name="Z" /><Data Name="F">false</Data><Data Name="Zero">0</Data><Data Name="O">{"a":"\u0041"}</Data><Data Name="L">[]</Data><Data Name="E" /></EventData></Event>`},
		{"2: provider", `{"system":{"eventID":"1","providerGuid":"{g}"}}`, system("1", ` Guid="{g}"`, empty) + `</Event>`},
		{"2: no eventdata", `{"system":{"eventID":"4625"}}`, system("4625", "", empty) + `</Event>`},
		{"2: null eventdata", `{"system":{"eventID":"4625"},"eventdata":null}`, system("4625", "", empty) + `</Event>`},
		{"2: eventdata is text", `{"system":{"eventID":"4625"},"eventdata":"a<b"}`, system("4625", "", empty) + `<EventData><Data>a&lt;b</Data></EventData></Event>`},
		{"1 and 2: eventdata is a number", `{"system":{"eventID":"1"},"eventdata":1.50}`, system("1", "", empty) + `<EventData><Data>1.50</Data></EventData></Event>`},
		{"1 and 2: eventdata is a list", `{"system":{"eventID":"1"},"eventdata":["x", 1]}`, system("1", "", empty) + `<EventData><Data>["x", 1]</Data></EventData></Event>`},
		{"1 and 2: eventdata is an empty list", `{"system":{"eventID":"1"},"eventdata":[]}`, system("1", "", empty) + `<EventData><Data>[]</Data></EventData></Event>`},
		{"1 and 2: eventdata is false", `{"system":{"eventID":"1"},"eventdata":false}`, system("1", "", empty) + `<EventData><Data>false</Data></EventData></Event>`},
		{"eventdata is empty", `{"system":{"eventID":"1"},"eventdata":{}}`, system("1", "", empty) + `<EventData /></Event>`},
		{"3: forbidden", `{"system":{"eventID":"1","providerName":"a\u0000\ud800b"},"eventdata":{"x\u0001":"\u0003\u000f\ufffe\uffff\ud83d\ude00\t"}}`,
			system("1", " Name=\"a\ufffd\ufffdb\"", empty) + "<EventData><Data Name=\"X\ufffd\">\ufffd\ufffd\ufffd\ufffd😀\t</Data></EventData></Event>"},
		{"3: names of elements", `{"system":{"eventID":"1102"},"logFileCleared":{"9 a:b":"1","":"2","ok-1.x":"3","größe":"4"}}`,
			system("1102", "", empty) + `<UserData><LogFileCleared` + userXMLNS + `><__a_b>1</__a_b><_>2</_><Ok-1.x>3</Ok-1.x><Größe>4</Größe></LogFileCleared></UserData></Event>`},
		{"4: any letter case", `{"system":{"eventID":"4625"},"eventdata":{"IPADDRESS":"1.2.3.4","ipport":"5"}}`,
			system("4625", "", empty) + `<EventData><Data Name="IPADDRESS">1.2.3.4</Data><Data Name="Ipport">5</Data></EventData></Event>`},
		{"4: one of them", `{"system":{"eventID":4625},"eventdata":{"ipAddress":"::1","x":"y"}}`,
			system("4625", "", empty) + `<EventData><Data Name="IpAddress">::1</Data><Data Name="X">y</Data><Data Name="IpPort">-</Data></EventData></Event>`},
		{"4: null is there", `{"system":{"eventID":"4625"},"eventdata":{"ipAddress":null,"ipPort":""}}`,
			system("4625", "", empty) + `<EventData><Data Name="IpAddress" /><Data Name="IpPort" /></EventData></Event>`},
		{"5: no eventdata", `{"system":{"eventID":"1102"}}`, system("1102", "", empty) + `<UserData><LogFileCleared` + userXMLNS + ` /></UserData></Event>`},
		{"5: null eventdata", `{"system":{"eventID":1100},"eventdata":null}`, system("1100", "", empty) + `<UserData><ServiceShutdown` + userXMLNS + ` /></UserData></Event>`},
		{"5: another provider", `{"system":{"eventID":"1102"},"eventdata":{"a":"b"}}`, system("1102", "", empty) + `<EventData><Data Name="A">b</Data></EventData></Event>`},
		{"5: the other's member", `{"system":{"eventID":"1100"},"eventdata":{"a":"b"},"logFileCleared":{"c":"d"}}`, system("1100", "", empty) + `<EventData><Data Name="A">b</Data></EventData></Event>`},
		{"5: both", `{"system":{"eventID":"1102"},"eventdata":{"a":"b"},"logFileCleared":{"c":2.0}}`, system("1102", "", empty) + `<UserData><LogFileCleared` + userXMLNS + `><C>2.0</C></LogFileCleared></UserData></Event>`},
		{"5: user data is text", `{"system":{"eventID":"1102"},"logFileCleared":"<x>"}`, system("1102", "", empty) + `<UserData><LogFileCleared` + userXMLNS + `>&lt;x&gt;</LogFileCleared></UserData></Event>`},
		{"5: user data is a list", `{"system":{"eventID":"1102"},"logFileCleared":[1]}`, system("1102", "", empty) + `<UserData><LogFileCleared` + userXMLNS + `>[1]</LogFileCleared></UserData></Event>`},
		{"10: the last counts", `{"system":{"eventID":"4625"},"system":{"eventID":"1"},"eventdata":{"a":"1","b":"2","a":"3"}}`,
			system("1", "", empty) + `<EventData><Data Name="B">2</Data><Data Name="A">3</Data></EventData></Event>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := eventRaw(t, c.win); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestSyslogRules(t *testing.T) {
	const rest = `"event_format":"syslog5424-json","event_forward":true,"event_parser":"wazuh","event_source":"soc-agent",`
	w := newDFN(t).syslog
	for _, c := range []struct{ name, alert, want string }{
		{"6: nothing that identifies", `{"full_log":"x","data":{"program_name":"fail2ban.actions","srcip":"1.2.3.4"}}`,
			`{"timestamp":null,` + rest + `"hostName":null,"structuredData":"","body":"x","appName":"fail2ban.actions","appInst":"fail2ban.actions","facility":"4","priority":38,"severity":6,"event_raw":"<38> 1 x"}`},
		{"6: agent is no object", `{"agent":"a","timestamp":5,"full_log":"x","data":{"program_name":"p"}}`,
			`{"timestamp":5,` + rest + `"hostName":null,"structuredData":"","body":"x","appName":"p","appInst":"p","facility":"4","priority":38,"severity":6,"event_raw":"<38> 1 x"}`},
		{"7: the prefix, exactly", `{"agent":{"name":"h"},"full_log":"fail2ban: fail2ban: NOTICE x","data":{"program_name":"p","severity":"NOTICE","pid":7}}`,
			`{"timestamp":null,` + rest + `"hostName":"h","structuredData":"","body":"NOTICE x","appName":"p","appInst":"p","procId":7,"facility":"4","priority":37,"severity":5,"event_raw":"<37> 1 fail2ban: NOTICE x"}`},
		{"7: not quite the prefix", `{"full_log":"fail2ban:NOTICE x","data":{"severity":"NOTICE"}}`,
			`{"timestamp":null,` + rest + `"hostName":null,"structuredData":"","body":"NOTICE x","facility":"4","priority":37,"severity":5,"event_raw":"<37> 1 fail2ban:NOTICE x"}`},
		{"7: the word in the log, not in the header", `{"full_log":"x 3","data":{"severity":"3"}}`,
			`{"timestamp":null,` + rest + `"hostName":null,"structuredData":"","body":"3","facility":"4","priority":38,"severity":6,"event_raw":"<38> 1 x 3"}`},
		{"7: the word is not there", `{"full_log":"x","data":{"severity":"ERROR"}}`,
			`{"timestamp":null,` + rest + `"hostName":null,"structuredData":"","body":"x","facility":"4","priority":35,"severity":3,"event_raw":"<35> 1 x"}`},
		{"7: a severity that is no text", `{"full_log":"4 x","data":{"severity":4}}`,
			`{"timestamp":null,` + rest + `"hostName":null,"structuredData":"","body":"4 x","facility":"4","priority":38,"severity":6,"event_raw":"<38> 1 4 x"}`},
		{"7: a pattern is no pattern", `{"full_log":"a.b%d WARNING","data":{"severity":"WARNING"}}`,
			`{"timestamp":null,` + rest + `"hostName":null,"structuredData":"","body":"WARNING","facility":"4","priority":36,"severity":4,"event_raw":"<36> 1 a.b%d WARNING"}`},
	} {
		out, _, err := run(w, c.alert)
		if err != nil || out[0] != c.want {
			t.Errorf("%s: %v\ngot  %s\nwant %s", c.name, err, strings.Join(out, ""), c.want)
		}
	}
	for alert, want := range map[string]string{
		`{"data":{}}`:                         "full_log is missing",
		`{"data":{},"full_log":null}`:         "full_log is no text",
		`{"data":{},"full_log":5}`:            "full_log is no text",
		`{"data":{},"full_log":{"a":"text"}}`: "full_log is no text",
	} {
		var f *event.Failure
		if _, _, err := run(w, alert); !errors.As(err, &f) || !strings.HasSuffix(f.Message, want) {
			t.Errorf("%s: %v", alert, err)
		}
	}
}

// FuzzWindows: whatever comes in, event_raw parses as XML and the message as JSON.
func FuzzWindows(f *testing.F) {
	for _, win := range []string{`{"system":{"eventID":"4625"},"eventdata":{"a":"b"}}`, `{"system":{"eventID":1102},"logFileCleared":{"\u0001":[1]}}`, `{"system":{},"eventdata":"\ud800"}`} {
		f.Add(win)
	}
	w := newDFN(f).windows
	f.Fuzz(func(t *testing.T, win string) {
		out, events, err := run(w, `{"data":{"win":`+win+`}}`)
		if err != nil || len(events) == 0 {
			return // no JSON, or no object where one must be: the event's error
		}
		compact(t, []byte(out[0]))
		root, err := events[0].Root()
		if err != nil {
			t.Fatal(err)
		}
		wellFormed(t, root.Get("event_raw").Text())
	})
}
