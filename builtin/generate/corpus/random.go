package corpus

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
)

var users = []string{
	"alice", "bob", "carol", "dave", "svc_backup", "svc_sql",
	"Administrator", "m.müller", "j.o'neil", "k&r_admin", "root", "deploy",
}

// agent is a machine that alerts come from.
type agent struct {
	id, name, ip, system string
}

func makeAgents(r *rand.Rand) []agent {
	roles := []string{"web", "db", "app", "mail", "dc", "ws"}
	agents := make([]agent, 180)
	for i := range agents {
		n, role := i+1, roles[r.IntN(len(roles))]
		system := "Linux"
		if role == "dc" || role == "ws" {
			system = "Windows"
		}
		agents[i] = agent{
			id:     fmt.Sprintf("%03d", n),
			name:   fmt.Sprintf("srv-%s-%03d", role, n),
			ip:     fmt.Sprintf("10.%d.%d.%d", n%7, n%31, n%250+1),
			system: system,
		}
	}
	return agents
}

func pick[T any](m *Maker, from []T) T { return from[m.rand.IntN(len(from))] }

func (m *Maker) agent() agent { return pick(m, m.agents) }

func (m *Maker) chance(of float64) bool { return m.rand.Float64() < of }

// between is a number from low up to, but not including, high.
func (m *Maker) between(low, high int) int { return low + m.rand.IntN(high-low) }

// number is between as text.
func (m *Maker) number(low, high int) string { return strconv.Itoa(m.between(low, high)) }

func (m *Maker) port() string { return m.number(1024, 65535) }

// hex is a number of n hexadecimal digits.
func (m *Maker) hex(n int) string {
	digits := make([]byte, n)
	for i := range digits {
		digits[i] = "0123456789abcdef"[m.rand.IntN(16)]
	}
	return string(digits)
}

// prose is a number of words.
func (m *Maker) prose(words []string, low, high int) string {
	var b strings.Builder
	for i := range m.between(low, high) {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(pick(m, words))
	}
	return b.String()
}

// special are the IPv4 networks, by the IANA registry, that are not globally
// reachable, and multicast and what lies above it.
var special = func() (networks []netip.Prefix) {
	for _, cidr := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
		"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
	} {
		networks = append(networks, netip.MustParsePrefix(cidr))
	}
	return networks
}()

// publicAddress is an address outside of all special networks.
func (m *Maker) publicAddress() string {
next:
	for {
		n := m.rand.Uint32()
		a := netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		for _, network := range special {
			if network.Contains(a) {
				continue next
			}
		}
		return a.String()
	}
}

func (m *Maker) privateAddress() string {
	b, c, d := m.between(0, 256), m.between(0, 256), m.between(1, 255)
	switch m.rand.IntN(3) {
	case 0:
		return fmt.Sprintf("10.%d.%d.%d", b, c, d)
	case 1:
		return fmt.Sprintf("192.168.%d.%d", c, d)
	default:
		return fmt.Sprintf("172.%d.%d.%d", 16+b%16, c, d)
	}
}
