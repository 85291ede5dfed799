package corpus

import (
	"strconv"
	"time"

	"github.com/wazuh-etl/etl/runtime/document"
)

// draft is what is particular to an alert; finish adds what all have.
type draft struct {
	agent       agent
	rule        document.Value
	before      []document.Member // between cluster and full_log: syscheck
	fullLog     string            // "" for none
	predecoder  document.Value
	decoder     document.Value
	data        document.Value
	geolocation bool
	location    string
}

// rule describes the rule that fired.
type rule struct {
	level           int
	id, description string
	groups          []string
	mitre           document.Value
	noCompliance    bool
}

func (m *Maker) rule(r rule) document.Value {
	members := []document.Member{
		{Name: "level", Value: document.NewInt(int64(r.level))},
		text("description", r.description),
		text("id", r.id),
	}
	if !r.mitre.IsNil() {
		members = append(members, document.Member{Name: "mitre", Value: r.mitre})
	}
	members = append(members,
		document.Member{Name: "firedtimes", Value: document.NewInt(int64(m.between(1, 900)))},
		document.Member{Name: "mail", Value: document.NewBool(r.level > 11)},
		texts("groups", r.groups...),
	)
	if !r.noCompliance {
		members = append(members, compliance...)
	}
	return document.NewObject(members)
}

var compliance = []document.Member{
	texts("pci_dss", "10.2.4", "10.2.5"),
	texts("gpg13", "7.1", "7.8"),
	texts("gdpr", "IV_35.7.d", "IV_32.2"),
	texts("hipaa", "164.312.b"),
	texts("nist_800_53", "AU.14", "AC.7"),
	texts("tsc", "CC6.1", "CC6.8", "CC7.2", "CC7.3"),
}

var (
	manager     = object("manager", text("name", "wazuh-mgr-1"))
	geolocation = object("GeoLocation",
		text("city_name", "Trier"), text("country_name", "Germany"), text("region_name", "Rheinland-Pfalz"),
		object("location",
			document.Member{Name: "lat", Value: document.NewFloat(49.7537)},
			document.Member{Name: "lon", Value: document.NewFloat(6.6393)}))
	input = object("input", text("type", "log"))
)

// clock is the time of the alert that is being made.
func (m *Maker) clock() time.Time { return start.Add(time.Duration(m.made+1) * interval) }

// finish makes the alert of a draft.
func (m *Maker) finish(d draft, kind Kind, of family) Alert {
	at := m.clock()
	m.made++
	timestamp := at.Format("2006-01-02T15:04:05.000-0700")
	alert := []document.Member{
		text("timestamp", timestamp),
		{Name: "rule", Value: d.rule},
		object("agent",
			text("id", d.agent.id), text("name", d.agent.name), text("ip", d.agent.ip),
			object("labels", text("os", d.agent.system), text("group", "prod"))),
		manager,
		text("id", strconv.FormatInt(at.Unix(), 10)+"."+strconv.FormatInt(m.made*1733, 10)),
		object("cluster", text("name", "wazuh"), text("node", "worker-"+strconv.FormatInt(m.made%3, 10))),
	}
	alert = append(alert, d.before...)
	if d.fullLog != "" {
		alert = append(alert, text("full_log", d.fullLog))
	}
	for _, m := range []document.Member{{Name: "predecoder", Value: d.predecoder}, {Name: "decoder", Value: d.decoder}, {Name: "data", Value: d.data}} {
		if !m.Value.IsNil() {
			alert = append(alert, m)
		}
	}
	if d.geolocation {
		alert = append(alert, geolocation)
	}
	alert = append(alert, text("location", d.location), input)
	m.line = document.NewObject(alert).AppendJSON(m.line[:0])
	return Alert{Kind: kind, Timestamp: timestamp, Line: m.line, family: of}
}

// text, texts and object are members of an alert.
func text(name, value string) document.Member {
	return document.Member{Name: name, Value: document.NewText(value)}
}

func texts(name string, values ...string) document.Member {
	items := make([]document.Value, len(values))
	for i, v := range values {
		items[i] = document.NewText(v)
	}
	return document.Member{Name: name, Value: document.NewArray(items)}
}

func object(name string, members ...document.Member) document.Member {
	return document.Member{Name: name, Value: document.NewObject(members)}
}

// decoder is the decoder member's value; parent may be "".
func decoder(parent, name string) document.Value {
	if parent == "" {
		return document.NewObject([]document.Member{text("name", name)})
	}
	return document.NewObject([]document.Member{text("parent", parent), text("name", name)})
}

// mitre is the attack technique a rule names.
func mitre(id, tactic, technique []string) document.Value {
	return document.NewObject([]document.Member{texts("id", id...), texts("tactic", tactic...), texts("technique", technique...)})
}
