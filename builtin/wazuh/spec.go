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

For the manager's rules to see the members of the
payload it must be JSON, and a rule must ask for one of them.

| what goes wrong | whose error | then | test |
| --- | --- | --- | --- |
| a message of more than 65,535 bytes, or more than the socket takes | the record's | ` + "`.errors`" + `, code ` + "`too_large`" + ` | TestEncodeAnswersForTheEvent, TestTooLargeForTheSocketIsTheEventsError |
| ` + "`location`" + ` or ` + "`agent`" + ` can't be made of the event | the record's | ` + "`.errors`" + ` | TestEncodeAnswersForTheEvent |
| the socket is missing or refuses, permission is missing | the target's | tried again | TestTargetErrorsWait |
| the queue is full, nobody reads | the target's | waited for; health says so after 5 s | TestAFullQueueIsWaitedFor, TestAReceiverThatNeverReadsIsReported |
| anything else | the target's | tried again | TestTargetErrorsWait |

| what happens when … | then | test |
| --- | --- | --- |
| **down**: the manager is stopped, at the start or later | it is waited for; the sink connects anew when the socket comes back, in order | TestTheSocketVanishesAndComesBack |
| **down**: the manager is restarted between two messages | nobody notices | TestTheSocketVanishesAndComesBack |
| **down**: the socket has another type than ` + "`protocol`" + ` says | ` + "`etl run`" + ` ends with the error | TestAnotherTypeOfSocketStopsTheStart |
| **full**: the manager reads too slowly | each message waits for room | TestAFullQueueIsWaitedFor |
| **bad data**: line breaks, NUL, pipe signs and colons, any payload | it is written so that it stays one message | TestHeader, TestPayload |
| **reload**, while the manager does not read | nobody waits for it; what was not taken goes to the successor in order | TestAFullQueueIsWaitedFor |
| **crash** | what the kernel has taken gets to the manager all the same; what was taken since the last checkpoint comes again, and the manager sees it twice | TestWhatTheKernelHasOutlivesTheSink |
| the manager stops before it has read its queue | what lies in it is lost: the kernel drops it with the socket | TestWhatTheKernelHasOutlivesTheSink |`,
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
