package watch

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
)

// Order is what agents are sorted by. The zero value is by status, what is wrong first.
type Order struct {
	by      string
	reverse bool
}

var orders = map[string]func(a, b *agent) int{
	"status":    func(a, b *agent) int { return cmp.Compare(a.status, b.status) },
	"id":        func(*agent, *agent) int { return 0 },
	"name":      func(a, b *agent) int { return compareText(a.name, b.name) },
	"ip":        func(a, b *agent) int { return address(a.ip).Compare(address(b.ip)) },
	"os":        func(a, b *agent) int { return compareText(a.platform(), b.platform()) },
	"keepalive": func(a, b *agent) int { return a.keepalive.Compare(b.keepalive) },
	"version":   func(a, b *agent) int { return compareText(a.release(), b.release()) },
	"node":      func(a, b *agent) int { return compareText(a.place(), b.place()) },
}

// OrderNames are what ParseOrder takes, for people.
const OrderNames = "status, id, name, ip, os, keepalive, version, node"

// ParseOrder reads a name of OrderNames, or one with a minus sign in front: the other way round.
func ParseOrder(name string) (Order, error) {
	by, reverse := strings.CutPrefix(name, "-")
	if orders[by] == nil {
		return Order{}, fmt.Errorf("%q is nothing to sort by: write one of %s, or -%[1]s for the other way round", by, OrderNames)
	}
	return Order{by, reverse}, nil
}

// compare is never 0 for two agents: equal ones are in the order of ids.
func (o Order) compare(a, b *agent) int {
	by := o.by
	if by == "" {
		by = "status"
	}
	n := orders[by](a, b)
	if n == 0 {
		n = cmp.Or(cmp.Compare(a.number, b.number), compareText(a.id, b.id), compareText(a.manager, b.manager))
		if by != "id" {
			return n
		}
	}
	if o.reverse {
		return -n
	}
	return n
}

func compareText(a, b string) int { return strings.Compare(a, b) }

// address sorts what is none in front.
func address(text string) netip.Addr {
	a, _ := netip.ParseAddr(text)
	return a
}
