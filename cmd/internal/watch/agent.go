package watch

import (
	"strconv"
	"strings"
	"time"
)

// key is what an agent is known by: managers number theirs alike.
type key struct{ manager, id string }

// agent is one as it was last told.
type agent struct {
	key
	number    int64 // of the id, to sort by
	name, ip  string
	version   string
	node      string // of the manager's cluster; "": not known
	os        system
	groups    []string
	status    Status
	code      int
	flaps     int
	keepalive time.Time // zero: never

	at         time.Time // when it was so
	event      string    // that told it
	proof      proof
	gone       bool // removed
	suppressed bool // changes were kept from us since
	stale      bool // as of the picture it is in
}

// update takes over what an event tells.
func (a *agent) update(e *event, p proof) {
	number, err := strconv.ParseInt(e.Agent, 10, 64)
	if err != nil {
		number = -1
	}
	*a = agent{
		key: key{e.Manager, e.Agent}, number: number,
		name: e.Name, ip: e.IP, version: e.Version, node: e.Node, os: e.OS, groups: e.Groups,
		status: e.Current, code: e.Code, flaps: e.Flaps, keepalive: e.Keepalive,
		at: e.Timestamp, event: e.ID, proof: p, gone: e.Type == "removed",
	}
}

// place is the node that the agent is connected to, else its manager.
func (a *agent) place() string {
	if a.node != "" {
		return a.node
	}
	return a.manager
}

// platform is the operating system with its version.
func (a *agent) platform() string {
	return strings.TrimSpace(a.os.Name + " " + a.os.Version)
}

// release is the version without the word that all of them begin with.
func (a *agent) release() string { return strings.TrimPrefix(a.version, "Wazuh ") }
