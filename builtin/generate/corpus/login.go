package corpus

import (
	"fmt"

	"github.com/wazuh-etl/etl/runtime/document"
)

var (
	guessing = mitre([]string{"T1110.001", "T1021.004"}, []string{"Credential Access", "Lateral Movement"}, []string{"Password Guessing", "SSH"})
	becoming = mitre([]string{"T1548.003"}, []string{"Privilege Escalation", "Defense Evasion"}, []string{"Sudo and Sudo Caching"})
)

var commands = []string{
	"/usr/bin/apt update", "/bin/systemctl restart nginx", "/usr/bin/cat /etc/shadow", "/usr/bin/find / -name '*.pem' -exec ls -l {} +",
}

// sshd is a log-in over SSH, or the attempt.
func (m *Maker) sshd() draft {
	a, ip, user, port := m.agent(), m.publicAddress(), pick(m, users), m.port()
	r := rule{level: 5, id: "5710", description: "sshd: Attempt to login using a non-existent user", groups: []string{"syslog", "sshd", "authentication_failed"}, mitre: guessing}
	message := "Failed password for invalid user "
	if m.chance(0.3) {
		r.level, r.id, r.description = 3, "5715", "sshd: authentication success."
		r.groups = []string{"syslog", "sshd", "authentication_success"}
		message = "Accepted publickey for "
	}
	return draft{
		agent:       a,
		rule:        m.rule(r),
		fullLog:     fmt.Sprintf("Mar  1 12:00:01 %s sshd[%d]: %s%s from %s port %s ssh2", a.name, m.between(0, 99999), message, user, ip, port),
		predecoder:  syslogHeader("sshd", "Mar  1 12:00:01", a),
		decoder:     decoder("sshd", "sshd"),
		data:        document.NewObject([]document.Member{text("srcip", ip), text("srcport", port), text("srcuser", user)}),
		geolocation: true,
		location:    pick(m, []string{"/var/log/auth.log", "journald"}),
	}
}

// sudo is a command run as root.
func (m *Maker) sudo() draft {
	a, user, command := m.agent(), pick(m, users), pick(m, commands)
	return draft{
		agent:      a,
		rule:       m.rule(rule{level: 3, id: "5402", description: "Successful sudo to ROOT executed.", groups: []string{"syslog", "sudo"}, mitre: becoming}),
		fullLog:    fmt.Sprintf("Mar  1 12:00:02 %s sudo:   %s : TTY=pts/0 ; PWD=/home/%s ; USER=root ; COMMAND=%s", a.name, user, user, command),
		predecoder: syslogHeader("sudo", "Mar  1 12:00:02", a),
		decoder: document.NewObject([]document.Member{
			text("parent", "sudo"), text("name", "sudo"), text("ftscomment", "First time user executed the sudo command"),
		}),
		data: document.NewObject([]document.Member{
			text("srcuser", user), text("dstuser", "root"), text("tty", "pts/0"), text("pwd", "/home/"+user), text("command", command),
		}),
		location: "/var/log/auth.log",
	}
}

func syslogHeader(program, at string, a agent) document.Value {
	return document.NewObject([]document.Member{text("program_name", program), text("timestamp", at), text("hostname", a.name)})
}
