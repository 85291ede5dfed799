// Package wazuh holds the components that speak to a Wazuh manager.
package wazuh

import (
	"fmt"
	"net"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
)

// Specs are the components of this package.
func Specs() []*component.Spec { return []*component.Spec{sinkSpec} }

// The protocols, and what net calls them.
const (
	datagram = "datagram"
	stream   = "stream"
	tcp      = "tcp"
)

var networks = map[string]string{datagram: "unixgram", stream: "unix", tcp: "tcp"}

// longestSocket is the longest name that the kernel takes for a Unix socket.
const longestSocket = 107

var sinkSpec = &component.Spec{
	Role:    component.RoleSink,
	Kind:    "wazuh",
	Summary: "Puts events into the queue of a Wazuh manager, where its rules see them",
	Guarantee: `Delivered means that the kernel has taken the message for the receiver: with ` + "`datagram`" + ` it
lies in the queue of Wazuh's socket and is lost only if the manager ends before it has read it.
With ` + "`stream` and `tcp`" + ` it lies in the connection's buffer, and what the other side had not read
when it went away is lost too.`,
	Doc: `A message is one line, ` + "`1:LOCATION:PAYLOAD`" + `, or ` + "`1:[ID] (NAME) IP->LOCATION:PAYLOAD`" + ` in the name of an
agent. In what stands before the payload ` + "`|` is doubled and `:` is written `|:`" + `. A payload that is a JSON
object or list is written as Python's json.dumps writes it, with ` + "`, ` and `: `" + `; non-ASCII
letters stay as they are. Any other payload is sent as it is. What would end the line (line
break, NUL) becomes a blank. On ` + "`stream` and `tcp`" + ` a line break follows each message.

A message of more than 65,535 bytes goes to the errors output (` + "`too_large`" + `). All else is
the target's trouble and waits: a socket that is missing or refuses, a full queue, missing permission. The sink
connects anew whenever the socket comes back. For the manager's rules to see the members of the
payload it must be JSON, and a rule must ask for one of them.`,
	Attrs: []component.Attr{
		{Name: "protocol", Type: component.TypeEnum, Enum: []string{datagram, stream, tcp}, Default: datagram,
			Doc: "`datagram` is what Wazuh itself listens on; `stream` is a Unix stream socket, `tcp` a TCP port, for a relay in front of it."},
		{Name: "socket", Type: component.TypeReadPath, Live: true, Default: "/var/ossec/queue/sockets/queue",
			Doc: "Unix socket, with `datagram` and `stream`."},
		{Name: "address", Type: component.TypeString, Doc: "`host:port`, with `tcp`."},
		{Name: "location", Type: component.TypeTemplate, Default: "etl", Address: true,
			Doc: "Where the message says it comes from: `location` of the alert that the manager makes of it."},
		{Name: "agent", Type: component.TypeTemplate,
			Doc: "The agent in whose name the message is sent, an object as `origin.agent`: `id`, `name`, `ip`. The manager's own form is used where it is nil, has no `id`, or is the manager (`000`). An agent without address is `any`."},
	},
	Outputs: []string{"location: as the template gave it"},
	Example: `sink "wazuh" "receipt" {
  from     = sink.kafka.dfn.delivered
  agent    = "{{ origin.agent }}"
  location = "dfn"
  payload  = { integration = "dfn", alert_id = "{{ origin.id }}" }
}`,
	NewSink: newSink,
}

func newSink(c *component.Config) (component.Sink, error) {
	s := &sink{
		location: c.Template("location"),
		agent:    c.Template("agent"),
		line:     line{network: networks[c.String("protocol")]},
	}
	if s.line.network == "tcp" {
		s.line.address = c.String("address")
		if !c.Known("address") {
			return s, nil
		}
		if !c.Has("address") {
			return nil, c.Error("protocol", diag.InvalidValue, `protocol "tcp" needs an address`, `write address = "host:port"`)
		}
		if _, _, err := net.SplitHostPort(s.line.address); err != nil {
			return nil, c.Error("address", diag.InvalidValue, "an address is host:port", "")
		}
		return s, nil
	}
	if c.Has("address") {
		return nil, c.Error("address", diag.InvalidValue, "an address belongs to TCP", `write protocol = "tcp", or socket = "…"`)
	}
	s.line.address = c.String("socket")
	if !c.Known("socket") {
		return s, nil
	}
	if n := len(s.line.address); n > longestSocket {
		return nil, c.Error("socket", diag.InvalidValue, fmt.Sprintf("the name of a Unix socket has at most %d bytes, this one has %d", longestSocket, n), "")
	}
	return s, nil
}
