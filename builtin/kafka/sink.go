package kafka

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/wazuh-etl/etl/builtin/tlsconfig"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
)

// What is on its way: at most mostRecords and, but for one larger record,
// mostBytes. A lot is what goes to the client together. An event without an answer holds
// some three times the bytes of its record: more on its way makes the process larger, not faster.
const (
	mostRecords = 4096
	mostBytes   = 16 << 20
	lotRecords  = 2048
	lotBytes    = 8 << 20
)

// A transaction is larger, since there are several round trips in each.
const (
	transactionRecords = 8192
	transactionBytes   = 16 << 20
)

type sink struct {
	config   *component.Config
	brokers  []string
	topic    component.Template
	constant *envelope // of a topic that is the same for all, where there is neither key nor header
	key      component.Template
	headers  []component.NamedTemplate
	most     int // bytes of a batch

	health  health
	host    *component.Host
	mu      sync.Mutex
	session *session
	once    *once // delivery = "exactly_once"; nil otherwise
}

var (
	_ component.Transactional = (*sink)(nil)
	_ component.Batching      = (*sink)(nil)
	_ component.Checker       = (*sink)(nil)
	_ component.Reads         = (*sink)(nil)
	_ component.Destination   = (*sink)(nil)
)

func newSink(c *component.Config) (component.Sink, error) {
	if err := errors.Join(tlsconfig.Complete(c.Block("tls")), checkLogin(c.Block("sasl"))); err != nil {
		return nil, err
	}
	s := &sink{
		config: c, brokers: c.Strings("brokers"),
		topic: c.Template("topic"), key: c.Template("key"), headers: c.Templates("headers"),
		most: int(c.Size("max_message_bytes")),
	}
	if c.String("delivery") == exactlyOnce {
		s.once = newOnce(s)
	}
	if name, ok := s.constantTopic(); ok && s.key == nil && len(s.headers) == 0 {
		s.constant = &envelope{topic: name, attributes: []document.Member{{Name: "topic", Value: document.NewText(name)}}}
	}
	return s, nil
}

func (s *sink) constantTopic() (string, bool) {
	if s.topic == nil { // made from a variable without value
		return "", false
	}
	return s.topic.Constant()
}

// envelope is what Encode keeps for Deliver.
type envelope struct {
	topic      string
	key        []byte
	headers    []kgo.RecordHeader
	attributes []document.Member
}

// Encode implements component.Sink.
func (s *sink) Encode(m *component.Message) error {
	env := s.constant
	if env == nil {
		var err error
		if env, err = s.envelope(m.Event); err != nil {
			return err
		}
	}
	m.Native = env
	m.Attributes = env.attributes[:len(env.attributes):len(env.attributes)]
	if size := env.size(len(m.Payload)); size > s.most {
		return event.Failf("message_too_large", "the record has %d bytes, max_message_bytes is %d", size, s.most)
	}
	return nil
}

func (s *sink) envelope(e *event.Event) (*envelope, error) {
	text, err := s.topic.AppendText(nil, e)
	if err != nil {
		return nil, err
	}
	env := &envelope{topic: string(text)}
	if err := validTopic(env.topic); err != nil {
		return nil, event.Failf("invalid_topic", "%v", err)
	}
	env.attributes = append(env.attributes, document.Member{Name: "topic", Value: document.NewText(env.topic)})
	if s.key != nil {
		if env.key, err = s.key.AppendText([]byte{}, e); err != nil {
			return nil, err
		}
		env.attributes = append(env.attributes, document.Member{Name: "key", Value: document.NewText(string(env.key))})
	}
	if len(s.headers) > 0 {
		var members []document.Member
		for _, h := range s.headers {
			value, err := h.Template.AppendText(nil, e)
			if err != nil {
				return nil, err
			}
			env.headers = append(env.headers, kgo.RecordHeader{Key: h.Name, Value: value})
			members = append(members, document.Member{Name: h.Name, Value: document.NewText(string(value))})
		}
		env.attributes = append(env.attributes, document.Member{Name: "headers", Value: document.NewObject(members)})
	}
	return env, nil
}

// size is that of a batch of just this record, a few bytes more at most.
func (env *envelope) size(payload int) int {
	const batch, perRecord, perHeader = 61, 21, 10
	n := batch + perRecord + len(env.key) + payload
	for _, h := range env.headers {
		n += perHeader + len(h.Key) + len(h.Value)
	}
	return n
}

// Limits implements component.Batching.
func (s *sink) Limits() (messages int, bytes int64, inFlight int) {
	if s.once != nil {
		return transactionRecords, transactionBytes, 0 // one transaction after the other
	}
	return 1024, 4 << 20, mostRecords
}

// ExactlyOnce implements component.Transactional.
func (s *sink) ExactlyOnce() bool { return s.once != nil }

// Open implements component.Sink: it fails if a broker answers and says that
// the topic is not there. The sink works all the same once it is.
func (s *sink) Open(ctx context.Context, host *component.Host) error {
	s.host = host
	s.health.tell = host.Health
	if _, err := tlsconfig.Build(s.config.Block("tls"), host.FS); err != nil {
		return err
	}
	topic, _ := s.constantTopic()
	err := s.greet(ctx, topic)
	s.health.set(err)
	if _, missing := err.(*missingTopic); missing {
		return err
	}
	if s.once != nil && err == nil {
		s.health.set(s.once.open(ctx))
	}
	return nil
}

// Deliver implements component.Sink.
func (s *sink) Deliver(ctx context.Context, messages []*component.Message) error {
	if s.once != nil {
		return s.once.deliver(ctx, messages)
	}
	s.mu.Lock()
	if s.session != nil && s.session.parent != ctx {
		s.session.end()
		s.session = nil
	}
	if s.session == nil {
		s.session = newSession(ctx, s)
	}
	current := s.session
	s.mu.Unlock()
	current.take(messages)
	return nil
}

// Close implements component.Sink.
func (s *sink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.once != nil {
		s.once.hangUp()
	}
	if s.session != nil {
		s.session.end()
		s.session = nil
	}
	return nil
}

// Files implements component.Reads.
func (s *sink) Files() []string {
	files := tlsconfig.Files(s.config.Block("tls"))
	if login := s.config.Block("sasl"); login != nil && login.Has("password_file") {
		files = append(files, login.String("password_file"))
	}
	return files
}

// Check implements component.Checker.
func (s *sink) Check(host *component.Host) []error {
	found := tlsconfig.Check(s.config.Block("tls"), host.FS, host.Now())
	login := s.config.Block("sasl")
	if login == nil {
		return found
	}
	if login.Has("password_file") {
		if _, err := host.FS.ReadFile(login.String("password_file")); err != nil {
			found = append(found, unreadable(login, "password_file", err))
		}
	}
	if login.String("mechanism") == "plain" && s.config.Block("tls") == nil {
		found = append(found, diag.Diagnostic{
			Code: diag.ComponentWarning, Severity: diag.Warning, Range: login.Ranges["mechanism"],
			Message:    "the password crosses the network readable for everybody",
			Suggestion: "add a tls block, or use scram-sha-512",
		})
	}
	return found
}

// Destination implements component.Destination.
func (s *sink) Destination() (place, command string) {
	name, ok := s.constantTopic()
	if !ok {
		return "Kafka at " + strings.Join(s.brokers, ", "), ""
	}
	return "Kafka topic " + name + " at " + strings.Join(s.brokers, ", "), ""
}
