package corpus

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/wazuh-etl/etl/runtime/document"
)

var (
	settingWords = strings.Fields("access to kernel audit module loading of the file system users daemon network")
	removalWords = strings.Fields("of the server when not needed by any workload")
	flawWords    = strings.Fields("A flaw was found in OpenSSL where the function may read beyond its buffer when processing crafted input leading to denial of service")
)

// policyCheck is a check of the security configuration assessment.
func (m *Maker) policyCheck() draft {
	n := m.between(1, 300)
	title := fmt.Sprintf("Ensure setting %d is configured", n)
	return draft{
		agent: m.agent(),
		rule:  m.rule(rule{level: 7, id: "19007", description: "CIS Benchmark: " + title, groups: []string{"sca"}}),
		data: document.NewObject([]document.Member{object("sca",
			text("type", "check"), text("scan_id", m.number(0, 1_000_000_000)), text("policy", "CIS Debian Linux 12 Benchmark v1.0.0"),
			object("check",
				text("id", strconv.Itoa(30000+n)), text("title", title),
				text("description", "The setting controls "+m.prose(settingWords, 20, 70)+"."),
				text("rationale", "Removing support reduces the local attack surface "+m.prose(removalWords, 10, 40)),
				text("remediation", "Edit or create a file in /etc/modprobe.d/ ending in .conf and add: install cramfs /bin/true"),
				object("compliance", text("cis", fmt.Sprintf("1.1.1.%d", n%9)), text("cis_csc", "5.1"), text("pci_dss", "2.2.5"), text("tsc", "CC6.3")),
				texts("rules", "c:modprobe -n -v x -> r:install /bin/true", "not c:lsmod -> r:x"),
				texts("references", "https://www.cisecurity.org/"),
				text("result", pick(m, []string{"passed", "failed"})),
			),
		)}),
		decoder:  decoder("", "sca"),
		location: "sca",
	}
}

// vulnerability is a vulnerable package that the scanner found.
func (m *Maker) vulnerability() draft {
	cve := "CVE-2025-" + m.number(1000, 59999)
	title := cve + " affects openssl"
	return draft{
		agent: m.agent(),
		rule:  m.rule(rule{level: 10, id: "23505", description: title, groups: []string{"vulnerability-detector"}}),
		data: document.NewObject([]document.Member{object("vulnerability",
			text("cve", cve), text("title", title), text("severity", pick(m, []string{"High", "Critical", "Medium"})),
			text("published", "2025-05-03T00:00:00Z"), text("updated", "2025-08-19T00:00:00Z"), text("status", "Active"),
			text("type", "Packages"), text("assigner", "redhat"), text("classification", "CVSS"),
			object("cvss", object("cvss3", text("base_score", "7.5"),
				object("vector", text("attack_vector", "NETWORK"), text("availability", "HIGH"), text("confidentiality_impact", "NONE"),
					text("integrity_impact", "NONE"), text("privileges_required", "NONE"), text("scope", "UNCHANGED"), text("user_interaction", "NONE")))),
			object("package", text("name", "openssl"), text("version", fmt.Sprintf("3.0.%d-1~deb12u1", m.between(0, 20))),
				text("architecture", "amd64"), text("condition", "Package less than 3.0.15"), text("source", "openssl")),
			text("rationale", m.prose(flawWords, 40, 160)),
			text("reference", "https://nvd.nist.gov/vuln/detail/"+cve+", https://security-tracker.debian.org/tracker/"+cve),
			object("scanner", text("reference", "https://cti.wazuh.com/vulnerabilities/cves/"+cve)),
		)}),
		decoder:  decoder("", "json"),
		location: "vulnerability-detector",
	}
}
