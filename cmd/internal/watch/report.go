package watch

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
)

// change is one that an event tells.
type change struct {
	agent    // as it is now
	event    *event
	previous Status
}

// concerns says whether the change is from or to one of some statuses.
func (c change) concerns(some []Status) bool {
	if c.event.Type == "manager_restart" {
		return slices.Contains(some, Disconnected)
	}
	return slices.Contains(some, c.previous) && c.event.Type != "registered" || slices.Contains(some, c.status) && !c.gone
}

// line is the change for people.
func (c change) line() string {
	at := c.at.UTC().Format("2006-01-02T15:04:05Z")
	if c.event.Type == "manager_restart" {
		return fmt.Sprintf("%s manager %s has started anew and reset %s%s", at, short(c.manager), number(c.event.Reset), plural(" agent", c.event.Reset))
	}
	var what string
	switch c.event.Type {
	case "registered":
		what = "registered, " + c.status.String()
	case "removed":
		what = "removed, was " + c.previous.String()
	default:
		what = c.previous.String() + " -> " + c.status.String()
	}
	where := short(c.place())
	if c.ip != "" {
		where = short(c.ip) + ", " + where
	}
	text := fmt.Sprintf("%s %s %s: %s (%s)", at, short(c.id), short(c.name), what, where)
	if c.proof == unverified {
		text += ", not signed by a --key"
	}
	return text
}

// agentDocument is an agent in JSON.
type agentDocument struct {
	ID        string   `json:"agent_id"`
	Name      *string  `json:"agent_name"`
	IP        *string  `json:"ip_address"`
	OS        *system  `json:"os"`
	Status    Status   `json:"status"`
	Code      int      `json:"status_code"`
	Keepalive *string  `json:"last_keepalive"`
	Version   *string  `json:"agent_version"`
	Groups    []string `json:"groups"`
	Flaps     int      `json:"flaps"`
	Node      *string  `json:"agent_node"`
	Manager   string   `json:"manager_node"`
	AsOf      *string  `json:"as_of"` // when it was so
	Stale     bool     `json:"stale"` // it may have changed since
	Verified  *bool    `json:"verified,omitempty"`
}

func (a *agent) document() agentDocument {
	d := agentDocument{
		ID: a.id, Name: text(a.name), IP: text(a.ip), Status: a.status, Code: a.code, Keepalive: moment(a.keepalive),
		Version: text(a.version), Groups: a.groups, Flaps: a.flaps, Node: text(a.node), Manager: a.manager, AsOf: moment(a.at), Stale: a.stale,
		Verified: a.proof.document(),
	}
	if d.Groups == nil {
		d.Groups = []string{}
	}
	if a.os != (system{}) {
		d.OS = &a.os
	}
	return d
}

func (p proof) document() *bool {
	if p == unchecked {
		return nil
	}
	yes := p == verified
	return &yes
}

// document is the change in JSON: an agent with what has happened to it.
func (c change) document() any {
	type head struct {
		Time string `json:"time"`
		Type string `json:"event_type"`
		ID   string `json:"event_id,omitempty"`
	}
	h := head{*moment(c.at), c.event.Type, c.event.ID}
	if c.event.Type == "manager_restart" {
		return struct {
			head
			Manager  string `json:"manager_node"`
			Agents   int    `json:"agents"`
			Verified *bool  `json:"verified,omitempty"`
		}{h, c.manager, c.event.Reset, c.proof.document()}
	}
	return struct {
		head
		Previous Status `json:"previous_status"`
		agentDocument
	}{h, c.previous, c.agent.document()}
}

// document is the picture in JSON, with all agents that o lists.
func (p *picture) document(o *Options) any {
	type manager struct {
		Name    string  `json:"manager_node"`
		Heard   *string `json:"last_heard"`
		Error   *string `json:"error"`
		Stale   bool    `json:"stale"`
		Lacking int     `json:"agents_not_known"`
	}
	managers := []manager{}
	for _, m := range p.managers {
		managers = append(managers, manager{m.name, moment(m.heard), text(m.trouble), m.stale, m.lacking})
	}
	agents := []agentDocument{}
	for _, a := range p.listed(o) {
		agents = append(agents, a.document())
	}
	type totals struct {
		Total          int `json:"total_agents"`
		Active         int `json:"active_agents"`
		Disconnected   int `json:"disconnected_agents"`
		NeverConnected int `json:"never_connected_agents"`
		Pending        int `json:"pending_agents"`
		Unknown        int `json:"unknown_agents"`
		Stale          int `json:"stale_agents"`
		Recent         int `json:"changes_last_minute"`
	}
	type messages struct {
		Malformed  int `json:"malformed"`
		Encrypted  int `json:"encrypted"`
		Unverified int `json:"unverified"`
		Other      int `json:"other"`
	}
	return struct {
		Time     string          `json:"time"`
		From     string          `json:"from"`
		Summary  totals          `json:"summary"`
		Messages messages        `json:"messages"`
		Managers []manager       `json:"managers"`
		Agents   []agentDocument `json:"agents"`
	}{
		*moment(p.at), p.from,
		totals{
			len(p.agents), p.count[Active], p.count[Disconnected], p.count[NeverConnected], p.count[Pending], p.count[Unknown], p.stale, p.recent,
		},
		messages{p.counts.malformed, p.counts.encrypted, p.counts.unverified, p.counts.other},
		managers, agents,
	}
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func moment(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format("2006-01-02T15:04:05.000Z")
	return &s
}

// writeJSON writes v on one line. What a terminal could obey is escaped: JSON itself leaves the
// control characters from U+0080 on as they are.
func writeJSON(w io.Writer, v any) error {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(w, escapeJSON(b.String()))
	return err
}

func escapeJSON(s string) string {
	odd := func(r rune) bool { return r >= 0x7F && !unicode.IsPrint(r) }
	if !strings.ContainsFunc(s, odd) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case !odd(r):
			b.WriteRune(r)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
