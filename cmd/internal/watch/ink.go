package watch

// ink colours text, or leaves it as it is.
type ink bool

func (k ink) in(code, text string) string {
	if !k {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (k ink) none(text string) string  { return text }
func (k ink) bold(text string) string  { return k.in("1", text) }
func (k ink) alarm(text string) string { return k.in("33", text) }

var colours = [statuses]string{
	Disconnected: "31", Pending: "33", Unknown: "35", NeverConnected: "36", Active: "32",
}

// status colours what says an agent's status; what is stale is dim.
func (k ink) status(a *agent, text string) string {
	code := colours[a.status]
	if a.stale {
		code = "2;" + code
	}
	return k.in(code, text)
}
