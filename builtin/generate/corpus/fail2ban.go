package corpus

import (
	"fmt"

	"github.com/wazuh-etl/etl/runtime/document"
)

// fail2ban is a line of fail2ban's log: four of five are actions, the others
// what its filter found.
func (m *Maker) fail2ban() Alert {
	a, action := m.agent(), m.chance(0.8)
	kind, ip := Public, ""
	if m.chance(0.7) {
		ip = m.publicAddress()
	} else {
		kind, ip = Private, m.privateAddress()
	}
	service, pid := pick(m, []string{"sshd", "nginx-http-auth", "postfix", "recidive"}), m.number(300, 9999)
	verb, program, severity := "Found", "fail2ban.filter", "INFO"
	r := rule{level: 5, id: "833002", groups: []string{"syslog", "fail2ban", "fail2ban-found"}, noCompliance: true}
	if action {
		verb, program = pick(m, []string{"Ban", "Unban", "Restore Ban"}), "fail2ban.actions"
		severity = pick(m, []string{"NOTICE", "NOTICE", "WARNING"})
		r.id, r.groups = "833001", []string{"syslog", "fail2ban"}
	} else {
		kind = Irrelevant
	}
	r.description = fmt.Sprintf("Fail2ban IP %s has been %s from %s", ip, verb, service)
	return m.finish(draft{
		agent:   a,
		rule:    m.rule(r),
		fullLog: fmt.Sprintf("fail2ban: 2026-03-01 12:00:00,000 %s [%s]: %s [%s] %s %s", program, pid, severity, service, verb, ip),
		decoder: decoder("", "fail2ban"),
		data: document.NewObject([]document.Member{
			text("severity", severity), text("srcip", ip), text("actiontaken", verb), text("service", service),
			text("program_name", program), text("pid", pid),
		}),
		geolocation: true,
		location:    "/var/log/fail2ban.log",
	}, kind, fail2ban)
}
