package expression

import (
	"fmt"
	"net/netip"

	"github.com/expr-lang/expr/ast"

	"github.com/wazuh-etl/etl/runtime/document"
)

var addressFunctions = []function{
	{name: "is_public", args: "address", doc: "Whether the text is an IP address that is globally reachable by IANA's special-purpose registries. IPv4-mapped and NAT64 addresses count as the IPv4 address inside; multicast and site-local ones are not public.", result: document.Bool,
		test: func(_ *frame, a []document.Value) bool {
			address, ok := address(a[0])
			return ok && isPublic(address)
		}},
	{name: "is_private", args: "address", doc: "Whether the text is an IP address that is not public.", result: document.Bool,
		test: func(_ *frame, a []document.Value) bool {
			address, ok := address(a[0])
			return ok && !isPublic(address)
		}},
	{name: "in_cidr", args: "address, networks", doc: "Whether the text is an IP address in the network, or in one of a list of networks. An address without prefix is a network of one.", result: document.Bool,
		test: func(f *frame, a []document.Value) bool {
			address, ok := address(a[0])
			return ok && f.networks(a[1]).has(address)
		}},
}

// address is the IP address that v spells; an IPv4-mapped one is the IPv4
// address.
func address(v document.Value) (netip.Addr, bool) {
	if v.Kind() != document.Text {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(v.Text())
	return a.WithZone("").Unmap(), err == nil
}

func isPublic(a netip.Addr) bool {
	if inner, ok := nat64(a); ok {
		a = inner
	}
	if a.Is6() && !globalUnicast.Contains(a) {
		return false
	}
	for _, r := range special {
		if r.prefix.Contains(a) {
			return r.public
		}
	}
	return true
}

var (
	globalUnicast = netip.MustParsePrefix("2000::/3")
	wellKnown     = netip.MustParsePrefix("64:ff9b::/96")
)

// nat64 is the IPv4 address inside an address of NAT64's well-known prefix.
func nat64(a netip.Addr) (netip.Addr, bool) {
	if !a.Is6() || !wellKnown.Contains(a) {
		return netip.Addr{}, false
	}
	b := a.As16()
	return netip.AddrFrom4([4]byte(b[12:])), true
}

// special are IANA's special-purpose address registries for IPv4 and IPv6 as
// of 2026, narrower blocks before the ones they lie in. Where the registry has
// "N/A" for globally reachable, the block is not public.
var special = []struct {
	prefix netip.Prefix
	public bool
}{
	{netip.MustParsePrefix("0.0.0.0/8"), false},
	{netip.MustParsePrefix("10.0.0.0/8"), false},
	{netip.MustParsePrefix("100.64.0.0/10"), false},
	{netip.MustParsePrefix("127.0.0.0/8"), false},
	{netip.MustParsePrefix("169.254.0.0/16"), false},
	{netip.MustParsePrefix("172.16.0.0/12"), false},
	{netip.MustParsePrefix("192.0.0.9/32"), true},  // Port Control Protocol anycast
	{netip.MustParsePrefix("192.0.0.10/32"), true}, // TURN anycast
	{netip.MustParsePrefix("192.0.0.0/24"), false},
	{netip.MustParsePrefix("192.0.2.0/24"), false},
	{netip.MustParsePrefix("192.88.99.0/24"), false}, // deprecated 6to4 relay anycast, N/A
	{netip.MustParsePrefix("192.168.0.0/16"), false},
	{netip.MustParsePrefix("198.18.0.0/15"), false},
	{netip.MustParsePrefix("198.51.100.0/24"), false},
	{netip.MustParsePrefix("203.0.113.0/24"), false},
	{netip.MustParsePrefix("224.0.0.0/4"), false}, // multicast
	{netip.MustParsePrefix("240.0.0.0/4"), false},

	{netip.MustParsePrefix("2001:1::1/128"), true}, // Port Control Protocol anycast
	{netip.MustParsePrefix("2001:1::2/128"), true}, // TURN anycast
	{netip.MustParsePrefix("2001:1::3/128"), true}, // DNS-SD service registration anycast
	{netip.MustParsePrefix("2001:3::/32"), true},   // AMT
	{netip.MustParsePrefix("2001:4:112::/48"), true},
	{netip.MustParsePrefix("2001:20::/28"), true}, // ORCHIDv2
	{netip.MustParsePrefix("2001:30::/28"), true}, // drone remote ID
	{netip.MustParsePrefix("2001::/23"), false},   // Teredo (N/A), benchmarking, ORCHID and what is not assigned
	{netip.MustParsePrefix("2001:db8::/32"), false},
	{netip.MustParsePrefix("2002::/16"), false}, // 6to4, N/A
	{netip.MustParsePrefix("3fff::/20"), false},
}

// networks is a set of IP networks.
type networks struct {
	lengths []int // of the prefixes there are
	nets    map[netip.Prefix]bool
}

func (n *networks) add(p netip.Prefix) {
	if n.nets == nil {
		n.nets = map[netip.Prefix]bool{}
	}
	p = p.Masked()
	if n.nets[p] {
		return
	}
	n.nets[p] = true
	for _, l := range n.lengths {
		if l == p.Bits() {
			return
		}
	}
	n.lengths = append(n.lengths, p.Bits())
}

// has says whether a, or the IPv4 address inside it, is in one of the networks.
func (n *networks) has(a netip.Addr) bool {
	for _, l := range n.lengths {
		if p, err := a.Prefix(l); err == nil && n.nets[p] {
			return true
		}
	}
	inner, ok := nat64(a)
	return ok && n.has(inner)
}

// network is the network that s spells. loose says that it has bits set
// behind the prefix.
func network(s string) (p netip.Prefix, loose, ok bool) {
	if a, err := netip.ParseAddr(s); err == nil {
		a = a.WithZone("").Unmap()
		return netip.PrefixFrom(a, a.BitLen()), false, true
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, false, false
	}
	const mapped = 96
	if p.Addr().Is4In6() && p.Bits() >= mapped {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mapped)
	}
	return p.Masked(), p != p.Masked(), true
}

// networks are the networks that v, a text or a list, spells; the others are
// left out.
func (f *frame) networks(v document.Value) *networks {
	n := new(networks)
	add := func(v document.Value) {
		p, _, ok := network(v.Text())
		if !ok {
			f.unlike++
			return
		}
		n.add(p)
	}
	if v.Kind() != document.Array {
		add(v)
		return n
	}
	if !f.spend(v.Len() * elementCost) {
		return n
	}
	for item := range v.Elements() {
		add(item)
	}
	return n
}

// inCIDR compiles in_cidr. Networks that are known become a set at load.
func (c *compiler) inCIDR(k code, args []code, nodes []ast.Node) code {
	if !args[1].known || args[1].value.IsNil() {
		return plain(c, functions["in_cidr"], k, args)
	}
	n, ok := c.networks(args[1].value, nodes[1])
	if !ok {
		return bad
	}
	eval := args[0].eval
	k.needs = presence(args[0])
	return boolean(k, func(f *frame) bool {
		a, ok := address(eval(f))
		return ok && n.has(a)
	})
}

// networks are the networks that v spells, each checked.
func (c *compiler) networks(v document.Value, n ast.Node) (*networks, bool) {
	set, fine := new(networks), true
	add := func(v document.Value, n ast.Node) {
		if v.Kind() != document.Text {
			c.problem(n, Literal, "a network is a text like '192.0.2.0/24'; this is "+kindName(v.Kind()), "")
			fine = false
			return
		}
		p, loose, ok := network(v.Text())
		if !ok {
			c.problem(n, Literal, fmt.Sprintf("%q is no network", v.Text()), "write an address, a slash and the length of the prefix: '192.0.2.0/24'")
			fine = false
			return
		}
		if loose {
			c.warn(n, LooseNetwork, fmt.Sprintf("%s has bits set behind its prefix and means the network %s", v.Text(), p), "write "+p.String())
		}
		set.add(p)
	}
	if v.Kind() != document.Array {
		add(v, n)
		return set, fine
	}
	literal, _ := n.(*ast.ArrayNode)
	i := 0
	for item := range v.Elements() {
		if literal != nil && i < len(literal.Nodes) {
			add(item, literal.Nodes[i])
		} else {
			add(item, n)
		}
		i++
	}
	return set, fine
}
