package corpus

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/wazuh-etl/etl/runtime/document"
)

var tampering = mitre([]string{"T1565.001"}, []string{"Impact"}, []string{"Stored Data Manipulation"})

// fileIntegrity is a file that was modified.
func (m *Maker) fileIntegrity() draft {
	path := pick(m, []string{"/etc/", "/usr/bin/", "/opt/app/conf/"}) + m.hex(10) + pick(m, []string{"", ".conf", ".so"})
	var diff strings.Builder
	for i := range m.between(0, 14) {
		if i > 0 {
			diff.WriteByte('\n')
		}
		fmt.Fprintf(&diff, "%s %s = %s", pick(m, []string{"<", ">"}), m.hex(8), m.hex(m.between(16, 48)))
	}
	sizes := [2]string{m.number(0, 9999), m.number(0, 9999)}
	md5 := [2]string{m.hex(32), m.hex(32)}
	sha1 := [2]string{m.hex(40), m.hex(40)}
	sha256 := [2]string{m.hex(64), m.hex(64)}
	check := []document.Member{
		text("path", path), text("mode", "realtime"),
		text("size_before", sizes[0]), text("size_after", sizes[1]),
		text("perm_after", "rw-r--r--"), text("uid_after", "0"), text("gid_after", "0"),
		text("md5_before", md5[0]), text("md5_after", md5[1]),
		text("sha1_before", sha1[0]), text("sha1_after", sha1[1]),
		text("sha256_before", sha256[0]), text("sha256_after", sha256[1]),
		text("uname_after", "root"), text("gname_after", "root"),
		text("mtime_before", "2026-02-28T11:59:01"), text("mtime_after", "2026-03-01T12:00:00"),
		{Name: "inode_after", Value: document.NewInt(int64(m.between(0, 10_000_000)))},
		texts("changed_attributes", "size", "mtime", "md5", "sha1", "sha256"),
		text("event", "modified"),
	}
	if diff.Len() > 0 {
		check = append(check, text("diff", diff.String()))
	}
	return draft{
		agent: m.agent(),
		rule: m.rule(rule{
			level: 7, id: "550", description: "Integrity checksum changed.",
			groups: []string{"ossec", "syscheck", "syscheck_entry_modified", "syscheck_file"}, mitre: tampering,
		}),
		before: []document.Member{object("syscheck", check...)},
		fullLog: fmt.Sprintf("File '%s' modified\nMode: realtime\nChanged attributes: size,mtime,md5,sha1,sha256\n"+
			"Size changed from '%s' to '%s'\nOld md5sum was: '%s'\nNew md5sum is : '%s'\nOld sha1sum was: '%s'\nNew sha1sum is : '%s'\n"+
			"Old sha256sum was: '%s'\nNew sha256sum is : '%s'\n",
			path, sizes[0], sizes[1], md5[0], md5[1], sha1[0], sha1[1], sha256[0], sha256[1]),
		decoder:  decoder("", "syscheck_integrity_changed"),
		location: "syscheck",
	}
}

// audit is a command that the Linux audit system recorded.
func (m *Maker) audit() draft {
	return draft{
		agent: m.agent(),
		rule:  m.rule(rule{level: 3, id: "80792", description: "Audit: Command: /usr/bin/bash", groups: []string{"audit", "audit_command"}}),
		fullLog: fmt.Sprintf("type=SYSCALL msg=audit(1772366403.%d:%d): arch=c000003e syscall=59 success=yes exit=0 a0=%s a1=%s a2=%s a3=8 items=2 "+
			"ppid=1 pid=2 auid=1000 uid=0 comm=\"bash\" exe=\"/usr/bin/bash\" key=\"audit-wazuh-c\" type=EXECVE msg=audit: argc=3 a0=\"bash\" a1=\"-c\" a2=%s "+
			"type=CWD msg=audit: cwd=\"/root\" type=PATH msg=audit: item=0 name=\"/usr/bin/bash\" inode=1 dev=08:01 mode=0100755",
			m.between(0, 999), m.between(0, 99999), m.hex(12), m.hex(12), m.hex(12), m.hex(40)),
		decoder: decoder("auditd", "auditd"),
		data: document.NewObject([]document.Member{object("audit",
			text("type", "SYSCALL"), text("id", m.number(0, 1_000_000)), text("arch", "c000003e"), text("syscall", "59"),
			text("success", "yes"), text("exit", "0"), text("ppid", m.number(0, 9999)), text("pid", m.number(0, 9999)),
			text("auid", "1000"), text("uid", "0"), text("gid", "0"), text("euid", "0"), text("suid", "0"), text("fsuid", "0"),
			text("egid", "0"), text("sgid", "0"), text("fsgid", "0"), text("tty", "(none)"), text("session", "1"),
			text("command", "bash"), text("exe", "/usr/bin/bash"), text("key", "audit-wazuh-c"), text("cwd", "/root"),
			object("execve", text("a0", "bash"), text("a1", "-c"), text("a2", "echo "+m.hex(m.between(8, 400)))),
		)}),
		location: "/var/log/audit/audit.log",
	}
}

// webAccess is a request that a web server refused.
func (m *Maker) webAccess() draft {
	ip, status := m.publicAddress(), pick(m, []string{"400", "403", "404", "500"})
	var url strings.Builder
	for range m.between(1, 5) {
		url.WriteString("/" + m.hex(m.between(3, 9)))
	}
	url.WriteString(pick(m, []string{"", ".php?id=%27+OR+1=1--", "?q=<script>alert(1)</script>", ".js"}))
	return draft{
		agent: m.agent(),
		rule:  m.rule(rule{level: 5, id: "31101", description: "Web server 400 error code.", groups: []string{"web", "accesslog", "attack"}}),
		fullLog: ip + ` - - [01/Mar/2026:12:00:03 +0000] "GET ` + url.String() + ` HTTP/1.1" ` + status + " " + strconv.Itoa(m.between(0, 9999)) +
			` "-" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36"`,
		decoder:     decoder("", "web-accesslog"),
		data:        document.NewObject([]document.Member{text("protocol", "GET"), text("srcip", ip), text("id", status), text("url", url.String())}),
		geolocation: m.chance(0.5),
		location:    "/var/log/nginx/access.log",
	}
}
