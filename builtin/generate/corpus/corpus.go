// Package corpus makes up Wazuh alerts, in the proportions of a busy manager's
// alerts file: by count 70 % Linux alerts that no shipped filter wants (0.6 to
// 3 KB), 25 % Windows events of which a third are wanted (2 to 4 KB), 5 %
// fail2ban with public and private addresses. The same seed gives the same
// alerts. Names and events are made up; the public addresses are random.
package corpus

import (
	"math/rand/v2"
	"time"
)

// Kind says which of the shipped filters want an alert.
type Kind uint8

// The kinds.
const (
	Irrelevant Kind = iota // none
	Windows                // a Windows event whose ID is wanted
	Public                 // a fail2ban action on a public address
	Private                // a fail2ban action on a private address: wanted where no own network is given
)

// Alert is one made-up alert.
type Alert struct {
	Kind      Kind
	Timestamp string // unlike every other one's of the same Maker
	Line      []byte // JSON without a line break; valid until the next alert is made
	family    family
}

// family is what a Kind leaves open: whose alert it is.
type family uint8

const (
	linux family = iota
	eventChannel
	fail2ban
)

// Maker makes alerts, one after the other. It is not safe for concurrent use.
type Maker struct {
	rand   *rand.Rand
	agents []agent
	made   int64 // alerts so far: the clock and the ids run with it
	line   []byte
}

// start is the time before the first alert, interval the time between two.
var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

const interval = 37 * time.Millisecond

// New is a Maker whose alerts depend on seed only.
func New(seed uint64) *Maker {
	m := &Maker{rand: rand.New(rand.NewPCG(seed, 0x77617a7568))} //nolint:gosec // made-up data must be reproducible
	m.agents = makeAgents(m.rand)
	return m
}

// linuxMakers are weighted by how often each alert is seen.
var linuxMakers = []struct {
	weight int
	make   func(*Maker) draft
}{
	{24, (*Maker).sshd},
	{8, (*Maker).sudo},
	{18, (*Maker).fileIntegrity},
	{22, (*Maker).webAccess},
	{12, (*Maker).policyCheck},
	{8, (*Maker).vulnerability},
	{8, (*Maker).audit},
}

// Next is the next alert.
func (m *Maker) Next() Alert {
	switch x := m.rand.Float64(); {
	case x < 0.70:
		return m.finish(m.linux(), Irrelevant, linux)
	case x < 0.95:
		return m.windowsEvent(m.chance(1.0 / 3))
	default:
		return m.fail2ban()
	}
}

func (m *Maker) linux() draft {
	total := 0
	for _, c := range linuxMakers {
		total += c.weight
	}
	x := m.rand.IntN(total)
	for _, c := range linuxMakers {
		if x -= c.weight; x < 0 {
			return c.make(m)
		}
	}
	panic("unreachable: weights add up to their total")
}
