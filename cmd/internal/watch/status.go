package watch

import (
	"fmt"
	"slices"
	"strings"
)

// Status is an agent's.
type Status uint8

// The statuses, in the order that they are listed by default: what is wrong comes first.
const (
	Disconnected Status = iota
	Pending
	Unknown
	NeverConnected
	Active
	statuses
)

var (
	inEvents = [statuses]string{"Disconnected", "Pending", "Unknown", "NeverConnected", "Active"}
	inFlags  = [statuses]string{"disconnected", "pending", "unknown", "never_connected", "active"}
)

// String is the status for people.
func (s Status) String() string { return strings.ReplaceAll(inFlags[s], "_", " ") }

// MarshalText writes the status as events do.
func (s Status) MarshalText() ([]byte, error) { return []byte(inEvents[s]), nil }

// UnmarshalText reads the status as events write it.
func (s *Status) UnmarshalText(text []byte) error {
	i := slices.Index(inEvents[:], string(text))
	if i < 0 {
		return fmt.Errorf("%.20q is no status", text)
	}
	*s = Status(i) //nolint:gosec // an index of inEvents
	return nil
}

// ParseStatuses reads a list with commas; "" is nil, all of them.
func ParseStatuses(list string) ([]Status, error) {
	if list == "" {
		return nil, nil
	}
	var all []Status
	for name := range strings.SplitSeq(list, ",") {
		name = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), "-", "_")
		i := slices.Index(inFlags[:], name)
		if i < 0 {
			return nil, fmt.Errorf("%q is no status: write some of %s", name, strings.Join(inFlags[:], ", "))
		}
		all = append(all, Status(i)) //nolint:gosec // an index of inFlags
	}
	return all, nil
}
