package corpus

import (
	"fmt"
	"strings"

	"github.com/wazuh-etl/etl/runtime/document"
)

// wantedEvents are the event IDs that the shipped pipelines deliver, by how
// often each is seen.
var wantedEvents = []struct {
	id     string
	weight float64
}{
	{"4625", 40}, {"4719", 2}, {"4672", 40}, {"4720", 2}, {"1102", 1}, {"4724", 2}, {"4697", 3},
	{"4698", 4}, {"4702", 3}, {"4794", 0.5}, {"4964", 1}, {"1100", 1}, {"3697", 0.5},
}

// otherEvents are IDs that no shipped pipeline delivers.
var otherEvents = []string{"4624", "4634", "4688", "7045", "4648", "4776", "4768", "4769", "5140", "5156", "4663", "4689"}

var removal = mitre([]string{"T1531"}, []string{"Impact"}, []string{"Account Access Removal"})

const explanation = "This event is generated when a logon request fails. It is generated on the computer where access was attempted.\r\n\r\n" +
	"The Subject fields indicate the account on the local system which requested the logon. This is most commonly a service such as the Server service, " +
	"or a local process such as Winlogon.exe or Services.exe.\r\n\r\nThe Logon Type field indicates the kind of logon that was requested. " +
	"The most common types are 2 (interactive) and 3 (network)."

func (m *Maker) wantedEvent() string {
	total := 0.0
	for _, e := range wantedEvents {
		total += e.weight
	}
	x := m.rand.Float64() * total
	for _, e := range wantedEvents {
		if x -= e.weight; x < 0 {
			return e.id
		}
	}
	return wantedEvents[0].id
}

// logon is who did what from where.
type logon struct {
	user, sid, address, logonID, computer, process string
}

// windowsEvent is an event of Windows' Security channel.
func (m *Maker) windowsEvent(wanted bool) Alert {
	id, kind := "", Irrelevant
	if wanted {
		id, kind = m.wantedEvent(), Windows
	} else {
		id = pick(m, otherEvents)
	}
	a := m.agent()
	l := logon{
		user:     pick(m, users),
		sid:      fmt.Sprintf("S-1-5-21-%d-%d-%d-%d", m.between(0, 1e9), m.between(0, 1e9), m.between(0, 1e9), m.between(500, 9999)),
		logonID:  "0x" + m.hex(7),
		computer: strings.ToUpper(a.name) + ".corp.example.org",
		process:  m.number(400, 9000),
	}
	if l.address = m.privateAddress(); m.chance(0.3) {
		l.address = m.publicAddress()
	}
	win := []document.Member{m.eventSystem(id, l)}
	switch id {
	case "1102":
		win = append(win, object("logFileCleared",
			text("subjectUserSid", l.sid), text("subjectUserName", l.user), text("subjectDomainName", "CORP"), text("subjectLogonId", l.logonID),
			text("clientProcessId", l.process), text("clientProcessStartKey", m.number(0, 1e16))))
	case "1100":
	default:
		win = append(win, m.eventData(id, l))
	}
	r := rule{level: 3, id: "6" + id, description: "Windows event " + id, groups: []string{"windows", "windows_security", "windows_other"}, mitre: removal}
	if id == "4625" {
		r.level, r.groups = 5, []string{"windows", "windows_security", "authentication_failed"}
	}
	return m.finish(draft{
		agent:       a,
		rule:        m.rule(r),
		decoder:     decoder("", "windows_eventchannel"),
		data:        document.NewObject([]document.Member{object("win", win...)}),
		geolocation: m.chance(0.3),
		location:    "EventChannel",
	}, kind, eventChannel)
}

func (m *Maker) eventSystem(id string, l logon) document.Member {
	message := fmt.Sprintf("\"An account event %s was logged.\r\n\r\nSubject:\r\n\tSecurity ID:\t\tS-1-5-18\r\n\tAccount Name:\t\t%s\r\n"+
		"\tAccount Domain:\t\tCORP\r\n\tLogon ID:\t\t%s\r\n\r\nNew Logon:\r\n\tSecurity ID:\t\t%s\r\n\tAccount Name:\t\t%s\r\n\r\n"+
		"Network Information:\r\n\tSource Network Address:\t%s\r\n\r\n%s\"",
		id, l.user, l.logonID, l.sid, l.user, l.address, explanation[:m.between(100, len(explanation))])
	return object("system",
		text("providerName", "Microsoft-Windows-Security-Auditing"), text("providerGuid", "{54849625-5478-4994-a5ba-3e3b0328c30d}"),
		text("eventID", id), text("version", "0"), text("level", "0"), text("task", "12544"), text("opcode", "0"), text("keywords", "0x8010000000000000"),
		text("systemTime", m.clock().Add(-interval).Format("2006-01-02T15:04:05.")+fmt.Sprintf("%07dZ", m.between(0, 1e7))),
		text("eventRecordID", m.number(0, 1e8)), text("processID", l.process), text("threadID", m.number(0, 20000)),
		text("channel", "Security"), text("computer", l.computer),
		text("severityValue", pick(m, []string{"AUDIT_FAILURE", "AUDIT_SUCCESS"})), text("message", message))
}

// eventData has what an event of this ID has. The manager leaves backslashes
// and quotes of the event's XML escaped, hence the doubled ones.
func (m *Maker) eventData(id string, l logon) document.Member {
	host, _, _ := strings.Cut(l.computer, ".")
	data := []document.Member{
		text("subjectUserSid", "S-1-5-18"), text("subjectUserName", host+"$"), text("subjectDomainName", "CORP"), text("subjectLogonId", "0x3e7"),
	}
	switch id {
	case "4625", "4624", "4648", "4776", "4768", "4769":
		data = append(data,
			text("targetUserSid", l.sid), text("targetUserName", l.user), text("targetDomainName", "CORP"), text("status", "0xc000006d"),
			text("failureReason", "%%2313"), text("subStatus", "0xc000006a"), text("logonType", pick(m, []string{"2", "3", "5", "10"})),
			text("logonProcessName", "NtLmSsp"), text("authenticationPackageName", "NTLM"), text("workstationName", "PC-"+m.number(0, 999)),
			text("keyLength", "0"), text("processId", "0x"+m.hex(3)), text("processName", `C:\\Windows\\System32\\inetsrv\\w3wp.exe`))
		if m.chance(0.85) {
			data = append(data, text("ipAddress", l.address), text("ipPort", m.port()))
		}
	case "4672", "4964":
		data = append(data, text("privilegeList", "SeSecurityPrivilege   SeBackupPrivilege   SeRestorePrivilege   SeTakeOwnershipPrivilege   "+
			"SeDebugPrivilege   SeSystemEnvironmentPrivilege   SeLoadDriverPrivilege   SeImpersonatePrivilege"))
	case "4688", "4689":
		data = append(data,
			text("newProcessId", "0x"+m.hex(4)), text("newProcessName", `C:\\Windows\\System32\\cmd.exe`), text("tokenElevationType", "%%1936"),
			text("processId", "0x"+m.hex(4)),
			text("commandLine", `cmd.exe /c \"powershell -nop -w hidden -enc `+m.hex(m.between(40, 300))+`\" > nul & exit`),
			text("parentProcessName", `C:\\Program Files\\App <x64>\\svc.exe`), text("mandatoryLabel", "S-1-16-16384"))
	case "4698", "4702":
		data = append(data,
			text("taskName", `\\Microsoft\\Windows\\Upd`+m.hex(4)),
			text("taskContent", `<?xml version=\"1.0\" encoding=\"UTF-16\"?> <Task version=\"1.2\"><Actions><Exec><Command>cmd.exe</Command>`+
				`<Arguments>/c `+m.hex(60)+`</Arguments></Exec></Actions></Task>`))
	default:
		data = append(data,
			text("targetUserName", l.user), text("targetDomainName", "CORP"), text("targetSid", l.sid), text("serviceName", "Svc"+m.hex(6)),
			text("serviceFileName", `C:\\Windows\\Temp\\`+m.hex(8)+".exe"), text("serviceType", "0x10"), text("serviceStartType", "3"),
			text("serviceAccount", "LocalSystem"))
	}
	return object("eventdata", data...)
}
