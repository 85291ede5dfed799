package agents

// census is how many agents are in which status.
type census [statuses]int

func takeCensus(agents []*agent) (n census) {
	for _, a := range agents {
		n[a.Status]++
	}
	return n
}

// change counts an agent as after, which it was as before; nil is none.
func (n *census) change(before, after *agent) {
	if before != nil {
		n[before.Status]--
	}
	if after != nil {
		n[after.Status]++
	}
}

func (n *census) total() (all int) {
	for _, of := range n {
		all += of
	}
	return all
}

func (n *census) fleet() *fleetMember {
	return &fleetMember{Total: n.total(), Active: n[active], Disconnected: n[disconnected]}
}

func (n *census) summary(changes int) summary {
	return summary{
		Total: n.total(), Active: n[active], Disconnected: n[disconnected],
		NeverConnected: n[neverConnected], Pending: n[pending], Unknown: n[unknown], Changes: changes,
	}
}
