// Package loki is sink "loki": log lines for Grafana Loki.
package loki

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
)

// Specs are the components of this package.
func Specs() []*component.Spec { return []*component.Spec{spec} }

var spec = &component.Spec{
	Role:    component.RoleSink,
	Kind:    "loki",
	Summary: "Sends events to Grafana Loki as log lines",
	Guarantee: `Delivered means that Loki has answered 204: its ingesters have the line. What is sent twice is there twice, with
the same ` + "`event_id`" + ` in its structured metadata.`,
	Doc: `The line is the payload, its time is when the source read the event. What Loki will never take (400, 413, 422: a line that
is too long, too old, or has too many labels) goes to the errors output with what Loki said (` + "`refused`" + `); the other lines
of the same request are sent without it. Everything else is Loki's trouble and waits: no connection, 401, 404, 429, 5xx, for at least
as long as its ` + "`Retry-After`" + ` says. Up to four requests are on their way at a time, fewer while Loki is slow or in trouble.`,
	Attrs: []component.Attr{
		{Name: "url", Type: component.TypeString, Required: true, Check: checkURL,
			Doc: "Where Loki is, without the path of its API: `https://loki.example:3100`."},
		{Name: "tenant", Type: component.TypeString, Doc: "Sent as `X-Scope-OrgID`, for a Loki with several tenants."},
		{Name: "labels", Type: component.TypeTemplates, Required: true,
			Doc: "What the line's stream is called, name by name; a label whose value is nil is left out. Few values each: Loki keeps a stream for every combination."},
	},
	Connection: []string{"url", "tenant"},
	Outputs:    []string{"labels: of the line's stream"},
	Example: `sink "loki" "bans" {
  from    = filter.bans
  url     = "https://loki.example:3100"
  labels  = { job = "wazuh", agent = "{{ agent.name }}" }
  payload = "{{ full_log }}"
}`,
	NewSink: newSink,
}

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

func newSink(c *component.Config) (component.Sink, error) {
	s := &sink{url: c.String("url"), tenant: c.String("tenant"), labels: c.Templates("labels")}
	var found []error
	for _, l := range s.labels {
		if !labelName.MatchString(l.Name) {
			found = append(found, c.Error("labels", diag.InvalidValue, fmt.Sprintf("%q is no name of a label", l.Name), "letters, digits and _ only"))
		}
	}
	return s, errors.Join(found...)
}

func checkURL(value any) error {
	u, err := url.Parse(value.(string))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("write https://HOST:PORT")
	}
	return nil
}
