// Package nats holds the components that speak to NATS.
package nats

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/wazuh-etl/etl/builtin/compression"
	"github.com/wazuh-etl/etl/builtin/tlsconfig"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/document"
)

// Specs are the components of this package.
func Specs() []*component.Spec { return []*component.Spec{sinkSpec} }

var sinkSpec = &component.Spec{
	Role:    component.RoleSink,
	Kind:    "nats",
	Summary: "Publishes events to NATS, stored in a JetStream stream unless told otherwise",
	Guarantee: `Delivered means that JetStream has acknowledged the message: it is stored, on as many servers as
the stream has replicas. The message's id (` + "`Nats-Msg-Id`" + `) is made of the event's, so that one that is sent again is stored
once, as long as the stream's duplicate window reaches. With ` + "`jetstream = false`" + ` delivered means that
the server has taken the message (a flush was answered): it is **not stored**, and who does not listen at that moment
misses it.`,
	Doc: `A stream must take the subject: with ` + "`embedded {}`" + ` it is made, elsewhere it is the operator's. At start a
server that answers and has none is an error, as far as the subject is known then. A warning in the log says
when the stream makes the promise weaker:

| the stream | what it means | test |
| --- | --- | --- |
| has a duplicate window under two minutes | after an outage or a restart that is longer, what is sent again is stored twice | TestWeakPromisesAreTold |
| lies in memory | what is delivered is lost when its server stops | TestWeakPromisesAreTold |
| has one replica in a cluster | what is delivered is lost with that server's disk | TestOneReplicaInAClusterIsTold |
| has a limit of bytes, messages or messages for each subject, and drops the oldest | what nobody has read by then is gone | TestWeakPromisesAreTold |
| keeps messages only while consumers want them (` + "`retention = interest`" + `) | without a consumer what is delivered is nowhere | TestWeakPromisesAreTold |

` + "`embedded {}`" + ` runs a NATS server with JetStream inside this process, for trying things out or as a local
buffer. Other programs on this machine reach it on a loopback port *without a login*. Its data lies under the state
directory. The kernel has each message before it is acknowledged and the disk within a second: the end
of the process loses nothing, a power failure at most that second.

| what goes wrong | whose error | then | test |
| --- | --- | --- | --- |
| larger than the server's ` + "`max_payload`" + ` or the stream's ` + "`max_msg_size`" + `; headers over 64 KiB | the record's | ` + "`.errors`" + `, code ` + "`too_large`" + ` | TestEventsOwnErrors |
| a subject that is none: empty parts, blanks, wildcards, over 1,024 bytes, the server's own | the record's | ` + "`.errors`" + `, code ` + "`invalid_subject`" + ` | TestSubjects |
| the user may not publish to the subject, which has a hole | the record's | ` + "`.errors`" + `, code ` + "`not_permitted`" + ` | TestAForbiddenSubjectIsTheEventsError |
| the user may not publish to the subject, which is the same for all | the target's | tried again | TestASubjectForbiddenForAllIsWaitedFor |
| the user may not listen to the answers (` + "`inbox_prefix`" + `) | the target's | tried again | TestAnswersThatMayNotBeListenedTo |
| no connection, TLS | the target's | tried again | TestServersThatAreNotThereAreWaitedFor, TestMutualTLS, TestServerName |
| login refused, a JWT that has expired | the target's | tried again; health says which login it was, and since when its JWT is no good | TestLogins, TestRefusedLoginsAreExplained |
| no stream takes the subject, another one than ` + "`stream`" + ` takes it | the target's | tried again | TestTargetsErrors |
| the stream is full and refuses new messages, its server is short of memory or disk | the target's | tried again | TestTargetsErrors |
| no answer, an answer that is not understood, an error that is in no row | the target's | tried again | TestTargetsErrors |

| what happens when … | then | test |
| --- | --- | --- |
| **down**: no server answers, at the start or later | it is waited for without end; health says why | TestServersThatAreNotThereAreWaitedFor, TestRestartsUnderLoad |
| **down**: a server answers at the start, and has no stream, no JetStream, or a stream that acknowledges nothing | ` + "`etl run`" + ` ends with the error | TestServersThatSayNoStopTheStart |
| **full**: the stream refuses new messages (` + "`discard = new`" + `) | what it has taken is done, the rest waits until there is room | TestTargetsErrors |
| **full**: the stream drops its oldest messages (` + "`discard = old`" + `) | events are delivered, and what nobody has read in time is gone: a warning says so | TestWeakPromisesAreTold |
| **bad data** | the one event goes to ` + "`.errors`" + `, those around it are stored | TestEventsOwnErrors |
| **down**: the server of several sinks of one ` + "`connection`" + ` | all of them wait; the log says so once | TestAServerKilledUnderThreeSinks |
| **reload** of one of several sinks of one ` + "`connection`" + `, or of all | the connection to the servers stays; if it has changed itself, a new one takes its place | TestOneConnectionOfThreeSinks |
| **reload** | what has no answer goes to the successor in order; what the stream has got of it already is stored once | TestAReloadHandsOverInOrder, TestStopWhileNobodyAnswersReturnsAll |
| **crash** | what came since the last checkpoint is sent again with the same ids; the stream drops it within its duplicate window | TestJetStreamStoresInOrderOnce |
| **crash**, and a start after the duplicate window | what came since the last checkpoint is stored twice; a warning says how long the window is | TestAfterTheWindowItIsStoredTwice |

Sinks that name the same ` + "`connection`" + ` have one connection to the servers. Each waits for the answers to its own lots, and hears of
permissions that its own messages lack.

Order is kept: a lot is answered for before the next one is sent, and no lot is sent over two connections. Only
where a server refuses or loses one message of a lot and takes later ones (a stream that is nearly full, a
change of its leader) those stand before it; then messages go one by one until all is well.`,
	Attrs: []component.Attr{
		{Name: "url", Type: component.TypeAny, Check: checkURLs, Doc: "Server, `nats://host:port` (`tls://`: encrypted), or a list of servers of one cluster. Needed unless the server is `embedded`."},
		{Name: "subject", Type: component.TypeTemplate, Required: true, Place: component.PlaceSubject, Address: true, Doc: "Subject of each message. A hole fills one token: dots, blanks and wildcards in its value become `%XX`."},
		{Name: "jetstream", Type: component.TypeBool, Default: true, Doc: "Whether messages are stored in a stream. `false`: core NATS."},
		{Name: "stream", Type: component.TypeString, Doc: "Name of the stream: a message that another one would take is refused. With `embedded {}`, the name of the stream it makes; by default that of the component."},
		{Name: "message_id", Type: component.TypeTemplate, Address: true, Doc: "`Nats-Msg-Id`. Default: the event's id, a slash and the sink's address, so that two sinks may write the same event into one stream."},
		{Name: "headers", Type: component.TypeTemplates, Place: component.PlaceHeader, Check: checkHeaders, Doc: "Headers of each message. Names that begin with `Nats-` are refused."},
		compression.Attr("Compresses each message by itself, with the header `Content-Encoding: zstd` or `gzip`: for payloads of some hundred bytes and more. Default: none. `etl peek` shows what is inside. `max_payload` of the server and `max_msg_size` of the stream hold for what is sent."),
		{Name: "creds_file", Type: component.TypeReadPath, Doc: "Credentials file: JWT and seed, as `nsc` writes it. Read again at each connection. At most one login is written."},
		{Name: "nkey_file", Type: component.TypeReadPath, Doc: "File with an NKey seed (`SU…`). Read again at each connection."},
		{Name: "jwt", Type: component.TypeString, Secret: true, Doc: "JWT of the user, with `seed`."},
		{Name: "seed", Type: component.TypeString, Secret: true, Doc: "NKey seed of the user, with `jwt`."},
		{Name: "username", Type: component.TypeString, Doc: "Name of the user, with `password`."},
		{Name: "password", Type: component.TypeString, Secret: true, Doc: "Password of the user."},
		{Name: "token", Type: component.TypeString, Secret: true, Doc: "Token, where the server asks for one."},
		{Name: "inbox_prefix", Type: component.TypeString, Check: checkPrefix, Doc: "First tokens of the subjects that answers come to, where the user may not use the default `_INBOX`."},
	},
	Connection: []string{"url", "creds_file", "nkey_file", "jwt", "seed", "username", "password", "token", "inbox_prefix", tlsconfig.Block.Name},
	Blocks: []component.BlockSpec{tlsconfig.Block, {
		Name: "embedded",
		Doc:  "Runs a NATS server inside this process and publishes there.",
		Attrs: []component.Attr{
			{Name: "port", Type: component.TypeCount, Doc: "Loopback port. Default: one that is free, another at each start: write one where other programs connect. A change needs a restart."},
			{Name: "max_bytes", Type: component.TypeSize, Default: int64(1 << 30), Doc: "Size of the stream. When it is full the oldest messages go."},
		},
	}},
	Outputs: []string{
		"subject: as the template gave it",
		"headers: as the templates gave them, if there are any",
		"stream: that stored the message (JetStream)",
		"sequence: of the message in the stream (JetStream)",
		"duplicate: the stream had it already (JetStream)",
	},
	Example: `sink "nats" "alerts" {
  from    = source.file.alerts
  url     = ["nats://nats-1:4222", "nats://nats-2:4222"]
  subject = "alerts.{{ agent.name ?? 'unknown' }}"
  headers = { Rule = "{{ rule.id }}" }

  creds_file = "/etc/etl/alerts.creds"
}`,
	NewSink: newSink,
}

func newSink(c *component.Config) (component.Sink, error) {
	s := &sink{
		config:    c,
		subject:   c.Template("subject"),
		messageID: c.Template("message_id"),
		headers:   c.Templates("headers"),
		jetStream: c.Bool("jetstream"),
		stream:    c.String("stream"),
		connector: connector{tls: c.Block("tls"), inboxPrefix: c.String("inbox_prefix")},

		compression: compression.New(c.String("compression")),
	}
	var found []error
	if subject, ok := s.subject.Constant(); ok && c.Known("subject") {
		if err := checkSubject(subject); err != nil {
			found = append(found, c.Error("subject", diag.InvalidValue, err.Error(), ""))
		}
	}
	if !s.jetStream {
		for _, name := range []string{"stream", "message_id"} {
			if c.Has(name) {
				found = append(found, c.Error(name, diag.InvalidValue, name+" belongs to JetStream", "leave jetstream = false out"))
			}
		}
	}
	if s.compression != nil && slices.ContainsFunc(s.headers, func(h component.NamedTemplate) bool { return strings.EqualFold(h.Name, encodingHeader) }) {
		found = append(found, c.Error("headers", diag.InvalidValue, encodingHeader+" is what compression says of the message", "leave the one or the other out"))
	}
	if e := c.Block("embedded"); e != nil {
		found = append(found, s.embed(c, e)...)
	} else {
		found = append(found, s.reach(c)...)
	}
	if err := errors.Join(found...); err != nil {
		return nil, err
	}
	return s, nil
}

// reach sets the sink up for servers elsewhere.
func (s *sink) reach(c *component.Config) (found []error) {
	if err := tlsconfig.Complete(s.connector.tls); err != nil {
		found = append(found, err)
	}
	s.connector.login = newLogin(c)
	found = append(found, s.connector.login.contradictions(c)...)
	if !c.Has("url") && c.Known("url") {
		return append(found, c.Error("", diag.MissingAttribute, "a NATS sink needs a url or the block embedded {}", `write url = "nats://host:4222"`))
	}
	var err error
	if s.connector.urls, err = urls(c.Any("url")); err != nil {
		found = append(found, c.Error("url", diag.InvalidValue, err.Error(), ""))
	}
	for i, shown := range bare(s.connector.urls) {
		s.connector.login.inURL = s.connector.login.inURL || shown != s.connector.urls[i]
	}
	return found
}

// embed sets the sink up for a server of its own.
func (s *sink) embed(c, e *component.Config) (found []error) {
	for _, name := range append([]string{"url", "inbox_prefix"}, ways...) {
		if c.Has(name) {
			found = append(found, c.Error(name, diag.InvalidValue, name+" is for a server elsewhere, this one is embedded", ""))
		}
	}
	if s.connector.tls != nil {
		found = append(found, s.connector.tls.Error("", diag.InvalidValue, "tls is for a server elsewhere, this one is embedded", ""))
	}
	if !s.jetStream {
		found = append(found, c.Error("jetstream", diag.InvalidValue, "an embedded server stores what it gets", "leave jetstream = false out"))
	}
	if s.stream == "" {
		s.stream = c.Address[strings.LastIndexByte(c.Address, '.')+1:]
	}
	if strings.ContainsFunc(s.stream, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`.*>/\`, r) }) {
		found = append(found, c.Error("stream", diag.InvalidValue, fmt.Sprintf("%q is no name of a stream", s.stream), "no dots, blanks, wildcards or slashes"))
	}
	if e.Count("port") > 65535 {
		found = append(found, e.Error("port", diag.OutOfRange, "a port is at most 65535", ""))
	}
	s.embedded = &embeddedStream{name: s.stream, port: e.Count("port"), maxBytes: e.Size("max_bytes")}
	return found
}

func checkURLs(value any) error {
	_, err := urls(value.(document.Value))
	return err
}

// urls reads the url attribute: a text or a list of them.
func urls(v document.Value) ([]string, error) {
	var list []string
	switch v.Kind() {
	case document.Missing, document.Null:
		return nil, nil
	case document.Text:
		list = strings.Split(v.Text(), ",")
	case document.Array:
		for item := range v.Elements() {
			if item.Kind() != document.Text {
				return nil, errors.New("a url is a text")
			}
			list = append(list, item.Text())
		}
	default:
		return nil, errors.New("url is a text or a list of texts")
	}
	if len(list) == 0 {
		return nil, errors.New("the list of urls is empty")
	}
	for i, text := range list {
		text = strings.TrimSpace(text)
		if !strings.Contains(text, "://") {
			text = "nats://" + text
		}
		u, err := url.Parse(text)
		if err != nil || u.Hostname() == "" {
			return nil, errors.New("a url is written nats://host:port")
		}
		switch u.Scheme {
		case "nats", "tls", "ws", "wss":
		default:
			return nil, fmt.Errorf("there is no NATS at %s://, write nats:// or tls://", u.Scheme)
		}
		list[i] = text
	}
	return list, nil
}

func checkPrefix(value any) error {
	if err := checkSubject(value.(string)); err != nil {
		return errors.New("an inbox_prefix is one or more tokens with dots between, without wildcards")
	}
	return nil
}
