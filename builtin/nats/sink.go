package nats

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	client "github.com/nats-io/nats.go"

	"github.com/wazuh-etl/etl/builtin/compression"
	"github.com/wazuh-etl/etl/builtin/tlsconfig"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// lotMessages are the most of one lot.
const lotMessages = 512

// sink is sink "nats".
type sink struct {
	config    *component.Config
	subject   component.Template
	messageID component.Template // nil: the event's id
	headers   []component.NamedTemplate
	jetStream bool
	stream    string // "": whichever takes the subject

	compression *compression.Method // nil: none

	connector connector
	keeper    *keeper
	release   func() error // of keeper, which others may use too
	inbox     *inbox       // on the session that was last used; nil: none was
	streams   streams
	embedded  *embeddedStream // nil: the servers are elsewhere

	// careful is how many messages still go one after the other, since one was
	// refused or lost while later ones of the same lot may have been taken.
	careful int
}

var _ interface {
	component.Sink
	component.Batching
	component.Checker
	component.Reads
	component.Destination
} = (*sink)(nil)

// Encode makes the message with its subject and headers.
func (s *sink) Encode(m *component.Message) error {
	text, err := s.subject.AppendText(nil, m.Event)
	if err != nil {
		return err
	}
	subject := string(text)
	if err := checkSubject(subject); err != nil {
		return event.Failf(CodeInvalidSubject, "%s", err)
	}
	out := &client.Msg{Subject: subject, Data: m.Payload, Header: make(client.Header, len(s.headers)+3)}
	m.Attributes = []document.Member{{Name: "subject", Value: document.NewText(subject)}}
	if s.jetStream {
		// The sink's address is in it: two sinks may write the same event into one stream.
		id := m.Event.ID() + "/" + s.config.Address
		if s.messageID != nil {
			if text, err = s.messageID.AppendText(text[:0], m.Event); err != nil {
				return err
			}
			id = string(text)
		}
		out.Header[client.MsgIdHdr] = []string{plain(id)}
		if s.stream != "" && s.embedded == nil {
			out.Header[client.ExpectedStreamHdr] = []string{s.stream}
		}
	}
	if s.compression != nil { // of Data alone: what tests and dry runs show can be read
		out.Data = s.compression.Append(nil, m.Payload)
		out.Header[encodingHeader] = []string{s.compression.Name()}
	}
	var headers []document.Member
	for _, h := range s.headers {
		if text, err = h.Template.AppendText(text[:0], m.Event); err != nil {
			return err
		}
		out.Header[h.Name] = []string{string(text)}
		headers = append(headers, document.Member{Name: h.Name, Value: document.NewText(string(text))})
	}
	if headers != nil {
		m.Attributes = append(m.Attributes, document.Member{Name: "headers", Value: document.NewObject(headers)})
	}
	m.Native = out
	return nil
}

// Open starts the embedded server, and waits for a first attempt to connect.
// A server that answers and has no stream for the messages stops the start.
func (s *sink) Open(ctx context.Context, host *component.Host) error {
	s.streams.log = host.Log
	s.streams.wanted = func() string { return s.wanted(host) }
	if s.embedded != nil {
		if err := s.embedded.start(host); err != nil {
			return err
		}
		s.connector.urls = []string{s.embedded.server.URL()}
	}
	if err := s.connect(ctx, host); err != nil {
		_ = s.Close()
		return err
	}
	return nil
}

// connect takes the connection that there is, or makes one.
func (s *sink) connect(ctx context.Context, host *component.Host) (err error) {
	if s.keeper, s.release, err = component.Share(ctx, host, s.connector.open); err != nil {
		return err
	}
	return s.look(ctx)
}

// look finds out at the start whether there is a stream, where that can be known.
func (s *sink) look(ctx context.Context) error {
	c := s.keeper.now()
	if c == nil || !s.jetStream {
		return nil
	}
	if s.embedded != nil { // the sink's own: it is as the page says, and needs no look
		s.streams.known = []string{s.embedded.name}
		return s.embedded.create(ctx, c.nc)
	}
	subject, ok := s.subject.Constant()
	if !ok {
		subject = ""
	}
	return s.streams.find(ctx, c.nc, s.stream, subject)
}

// wanted are the subjects of all sinks of the connection that store into the same stream,
// or into any: with one stream for them all are served.
func (s *sink) wanted(host *component.Host) string {
	patterns := []string{pattern(s.subject)}
	if host.Peers != nil {
		for _, peer := range host.Peers() {
			if other, is := peer.(*sink); is && other != s && other.jetStream && other.embedded == nil && other.stream == s.stream {
				patterns = append(patterns, pattern(other.subject))
			}
		}
	}
	return strings.Join(disjoint(patterns), ",")
}

// Deliver publishes a lot and waits for the answers.
func (s *sink) Deliver(ctx context.Context, messages []*component.Message) error {
	c, err := s.keeper.session(ctx)
	for err == nil && len(messages) > 0 {
		n := len(messages)
		if s.careful > 0 {
			n = 1
			s.careful--
		}
		var open []*component.Message
		if open, err = s.publish(ctx, c, messages[:n]); err == nil {
			messages = messages[n:]
			continue
		}
		s.careful = lotMessages
		messages = append(open, messages[n:]...)
	}
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		for _, m := range messages {
			m.Return()
		}
		return nil
	}
	if c != nil && c.over() { // whatever went wrong, that is why, and all who use it have it
		return component.OfConnection(c.lost())
	}
	return err
}

// Limits are one lot, answered as a whole before the next: what lies between
// two lots is never in doubt.
func (s *sink) Limits() (messages int, bytes int64, inFlight int) {
	return lotMessages, 8 << 20, 0
}

func (s *sink) Close() error {
	s.deafen()
	if s.release != nil {
		_ = s.release()
		s.release = nil
	}
	if s.embedded != nil {
		s.embedded.stop()
	}
	return nil
}

// Destination is where the messages are.
func (s *sink) Destination() (place, command string) {
	name := s.streams.name()
	switch {
	case s.embedded != nil:
		return fmt.Sprintf("stream %s in %s", s.embedded.name, s.embedded.dir), "etl peek " + quoted(s.embedded.dir)
	case !s.jetStream:
		return "core NATS at " + bare(s.connector.urls)[0], ""
	case name == "":
		return "JetStream at " + bare(s.connector.urls)[0], ""
	}
	url := bare(s.connector.urls)[0]
	return fmt.Sprintf("stream %s at %s", name, url), fmt.Sprintf("etl peek --stream %s %s", name, url)
}

// quoted is text as a shell reads it as one word.
func quoted(text string) string {
	if strings.IndexFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/._-+:@%", r)
	}) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// Check looks at the certificates and the login.
func (s *sink) Check(host *component.Host) []error {
	return append(tlsconfig.Check(s.connector.tls, host.FS, host.Now()), s.connector.login.check(s.config, host)...)
}

// Files are what is read at each connection.
func (s *sink) Files() []string {
	files := tlsconfig.Files(s.connector.tls)
	for _, name := range []string{s.connector.login.credsFile, s.connector.login.nkeyFile} {
		if name != "" {
			files = append(files, name)
		}
	}
	return files
}
