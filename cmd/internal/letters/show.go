package letters

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"time"
	"unicode"

	"github.com/wazuh-etl/etl/cmd/internal/view"
	"github.com/wazuh-etl/etl/runtime/deadletter"
)

// ShowOptions say what Show writes, and how.
type ShowOptions struct {
	Where  *Where
	Limit  int  // the newest so many; 0: all
	JSON   bool // one record a line, as it is stored
	Escape bool // write control characters in JSON as \u001b: the reader is a terminal
}

// Show writes records, oldest first, those of one archive after the other.
func Show(w io.Writer, archives []*deadletter.Archive, o ShowOptions) error {
	var last []*deadletter.Record
	out := bufio.NewWriter(w)
	for _, a := range archives {
		_, err := a.Each(func(r *deadletter.Record) error {
			if !o.Where.Chooses(r) {
				return nil
			}
			if o.Limit == 0 {
				return o.write(out, r)
			}
			if last = append(last, r); len(last) > o.Limit {
				last[0] = nil
				last = last[1:]
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, r := range last {
		if err := o.write(out, r); err != nil {
			return err
		}
	}
	return out.Flush()
}

func (o ShowOptions) write(w io.Writer, r *deadletter.Record) error {
	if o.JSON {
		text := r.Text
		if o.Escape {
			text = escape(text)
		}
		_, err := fmt.Fprintf(w, "%s\n", text)
		return err
	}
	words := fmt.Sprintf("%s  %s  %s: %s\n  id %s, of %s", r.Time.Format(time.RFC3339),
		view.Visible(cmp.Or(r.Component, "no component")), view.Visible(cmp.Or(r.Code, "no failure")), view.Visible(r.Message),
		view.Visible(r.ID), view.Visible(r.Source))
	if f := r.Stream().File; f != "" {
		words += fmt.Sprintf(", %s offset %d", view.Visible(f), r.Offset)
	}
	if r.Attempts > 0 {
		words += ", " + counted(r.Attempts, "attempt")
	}
	if r.Script != "" {
		words += fmt.Sprintf(", %s:%d", view.Visible(r.Script), r.Line)
	}
	if raw := r.Bytes(); raw != nil {
		words += "\n  " + view.Visible(string(raw))
	} else {
		words += "\n  (its original bytes are not there)"
	}
	_, err := fmt.Fprintln(w, words)
	return err
}

// escape replaces what a terminal would obey; JSON has only DEL and the C1
// controls unescaped, which stand in strings.
func escape(json []byte) []byte {
	var out []byte
	for _, c := range string(json) {
		if unicode.IsControl(c) {
			out = fmt.Appendf(out, `\u%04x`, c)
		} else {
			out = append(out, string(c)...)
		}
	}
	return out
}
