package file

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/wazuh-etl/etl/builtin/compression"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/linefile"
)

// CodePath is the failure of an event whose own path can't be a file's.
const CodePath = "path"

// sink is sink "file": one line for each event.
type sink struct {
	path     component.Template
	constant string // absolute path; empty if it depends on the event
	state    string // directory that relative paths are below
	maxBytes int64
	keep     int
	maxOpen  int

	compressed *compressed // nil: lines as they are
	suffix     string      // of all files

	host  *component.Host
	files map[string]*opened
	uses  int64
}

// opened is one of the files that are open.
type opened struct {
	*linefile.File
	used int64 // the number of the Deliver that used it last
}

func newSink(c *component.Config) (component.Sink, error) {
	s := &sink{
		path: c.Template("path"), state: c.State,
		maxBytes: c.Size("max_bytes"), keep: c.Count("keep"), maxOpen: c.Count("max_open"),
		files: map[string]*opened{},
	}
	method := compression.New(c.String("compression"))
	s.compressed, s.suffix = newCompressed(method), method.Suffix()
	if text, ok := s.path.Constant(); ok {
		s.constant = s.absolute(text)
	}
	return s, nil
}

// absolute is where a file is, with the suffix of what is in it.
func (s *sink) absolute(path string) string {
	if !strings.HasSuffix(path, s.suffix) {
		path += s.suffix
	}
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(s.state, path)
}

// Encode finds out which file the event goes to.
func (s *sink) Encode(m *component.Message) error {
	path := s.constant
	if path == "" {
		text, err := s.path.AppendText(nil, m.Event)
		if err != nil {
			return err
		}
		path = s.absolute(string(text))
	}
	m.Native = path
	m.Attributes = []document.Member{{Name: "path", Value: document.NewText(path)}}
	return nil
}

// Open makes the file, if it does not depend on the event.
func (s *sink) Open(_ context.Context, host *component.Host) error {
	s.host = host
	if s.constant == "" {
		return nil
	}
	err := s.file(s.constant).Open()
	if err == nil || linefile.Unusable(err) {
		return err
	}
	host.Health(err) // Deliver tries again
	return nil
}

// Deliver appends the messages for each file and syncs it once.
func (s *sink) Deliver(ctx context.Context, messages []*component.Message) error {
	s.uses++
	var trouble error
	for _, group := range byPath(messages) {
		if ctx.Err() != nil {
			for _, m := range group.messages {
				m.Return()
			}
			continue
		}
		lines := group.lines()
		if s.compressed != nil {
			lines = s.compressed.piece(lines)
		}
		err := s.file(group.path).Append(lines)
		switch {
		case err == nil:
			for _, m := range group.messages {
				m.Done()
			}
		case s.constant == "" && ownPath(err):
			for _, m := range group.messages {
				m.Fail(event.Failf(CodePath, "%v", err))
			}
		default:
			trouble = errors.Join(trouble, err)
		}
	}
	return trouble
}

// ownPath says that the path of an event is what is wrong, while another event's may be right.
func ownPath(err error) bool {
	return errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ENAMETOOLONG)
}

// file is the open file at path. At most maxOpen are kept open: the one that
// was not used for the longest time goes.
func (s *sink) file(path string) *opened {
	f := s.files[path]
	if f == nil {
		if len(s.files) >= s.maxOpen {
			s.evict()
		}
		options := linefile.Options{MaxBytes: s.maxBytes, Keep: s.keep, Log: s.host.Log}
		if s.compressed != nil {
			options.Format = s.compressed
		}
		f = &opened{File: linefile.New(s.host.FS, path, options)}
		s.files[path] = f
	}
	f.used = s.uses
	return f
}

func (s *sink) evict() {
	oldest := ""
	for path, f := range s.files {
		if oldest == "" || f.used < s.files[oldest].used {
			oldest = path
		}
	}
	s.files[oldest].Close() // every line in it is synced
	delete(s.files, oldest)
}

// Limits are those of one sync.
func (s *sink) Limits() (messages int, bytes int64, inFlight int) { return 2000, 4 << 20, 0 }

// Destination is the file.
func (s *sink) Destination() (place, command string) {
	if s.constant == "" {
		return "files below " + s.state, "ls -R " + s.state
	}
	switch s.suffix {
	case ".zst":
		return s.constant, "zstdcat " + s.constant
	case ".gz":
		return s.constant, "zcat " + s.constant
	}
	return s.constant, "tail " + s.constant
}

// Close closes the files.
func (s *sink) Close() error {
	var err error
	for _, f := range s.files {
		err = errors.Join(err, f.Close())
	}
	clear(s.files)
	return err
}

// group is what goes to one file.
type group struct {
	path     string
	messages []*component.Message
}

// byPath groups messages without changing their order within a file.
func byPath(messages []*component.Message) []*group {
	var groups []*group
	find := map[string]*group{}
	for _, m := range messages {
		path := m.Native.(string)
		g := find[path]
		if g == nil {
			g = &group{path: path}
			find[path] = g
			groups = append(groups, g)
		}
		g.messages = append(g.messages, m)
	}
	return groups
}

// lines is the payloads, each with a line break.
func (g *group) lines() []byte {
	size := 0
	for _, m := range g.messages {
		size += len(m.Payload) + 1
	}
	lines := make([]byte, 0, size)
	for _, m := range g.messages {
		lines = append(append(lines, m.Payload...), '\n')
	}
	return lines
}
