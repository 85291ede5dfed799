package agents

import (
	"errors"
	"fmt"
	"io/fs"
)

// Unreadable says in words for who operates a manager why what it has at name, a "database" or a
// "socket", can't be used: it wraps err and says what to do where that is known.
func Unreadable(what, name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return reworded{fmt.Sprintf("there is no %s %s: Wazuh 4 has it in /var/ossec/queue/db, Wazuh 5 in /var/wazuh-manager/queue/db", what, name), err}
	case errors.Is(err, fs.ErrPermission):
		return reworded{fmt.Sprintf("the %s %s may not be read by this user: use one of group wazuh, or root", what, name), err}
	}
	return fmt.Errorf("opening the %s %s: %w", what, name, err)
}

// reworded is an error that says more than what it wraps.
type reworded struct {
	words string
	error
}

func (r reworded) Error() string { return r.words }
func (r reworded) Unwrap() error { return r.error }
