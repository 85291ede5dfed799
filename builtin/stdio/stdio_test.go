package stdio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/wazuh-etl/etl/runtime/codec"
	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// collector is what stands behind the source.
type collector struct {
	mu     sync.Mutex
	lines  []string
	ids    []string
	closed bool // takes nothing more
}

func (c *collector) Emit(ctx context.Context, lot *component.Lot) error {
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	if closed {
		<-ctx.Done()
		return ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range lot.Lines {
		text := string(lot.Data[l.Start:l.End])
		if l.Failure != nil {
			text = l.Failure.Code + " " + text
		}
		c.lines = append(c.lines, text)
		c.ids = append(c.ids, fmt.Sprintf("%s@%d", lot.Stream.Generation, l.Offset))
	}
	return nil
}

func (c *collector) got() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.lines, "|")
}

func sourceOf(in *input) *source {
	return &source{address: "source.stdin.x", input: in, options: codec.Options{Format: codec.JSON, MaxLine: 40}}
}

func host() *component.Host {
	return &component.Host{World: worldtest.New().World, Address: "source.stdin.x", Log: slog.New(slog.DiscardHandler), Health: func(error) {}}
}

func TestReadsToTheEnd(t *testing.T) {
	long := `{"long":"` + strings.Repeat("x", 40) + `"}`
	text := "{\"n\":0}\n[]\n" + long + "\n\n{\"n\":1}"
	for name, r := range map[string]io.Reader{
		"whole": strings.NewReader(text), "bytes": iotest.OneByteReader(strings.NewReader(text)), "end with the last data": iotest.DataErrReader(strings.NewReader(text)),
	} {
		t.Run(name, func(t *testing.T) {
			out := &collector{}
			if err := sourceOf(&input{from: r}).Run(t.Context(), host(), nil, out); err != nil {
				t.Fatal(err)
			}
			if want := `{"n":0}|not_an_object []|line_too_long ` + long + `|{"n":1}`; out.got() != want {
				t.Errorf("got  %s\nwant %s", out.got(), want)
			}
		})
	}
}

func TestReadError(t *testing.T) {
	cause := errors.New("unplugged")
	err := sourceOf(&input{from: io.MultiReader(strings.NewReader("{}\n"), iotest.ErrReader(cause))}).Run(t.Context(), host(), nil, &collector{})
	if !errors.Is(err, cause) {
		t.Errorf("Run: %v", err)
	}
}

// What one source has read and not handed over, the next one hands over.
func TestReloadKeepsHalfALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		in := &input{from: r}
		out := &collector{}
		run := func() (stop func()) {
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- sourceOf(in).Run(ctx, host(), nil, out) }()
			return func() {
				cancel()
				if err := <-ended; err != nil {
					t.Errorf("Run: %v", err)
				}
			}
		}
		stop := run()
		io.WriteString(w, "{\"n\":0}\n{\"n\"")
		synctest.Wait()
		stop()
		out.closed = true
		stop = run()
		io.WriteString(w, ":1}\n{\"n\":2}\n{")
		synctest.Wait()
		stop()
		out.closed = false
		stop = run()
		io.WriteString(w, "\"n\":3}\n")
		w.Close()
		synctest.Wait()
		stop()
		if want := `{"n":0}|{"n":1}|{"n":2}|{"n":3}`; out.got() != want {
			t.Errorf("got  %s\nwant %s", out.got(), want)
		}
		for i, id := range out.ids {
			if want := fmt.Sprintf("stdin-%s@%d", in.run, 8*i); id != want {
				t.Errorf("id %s, want %s", id, want)
			}
		}
	})
}

func TestRunsHaveIDsOfTheirOwn(t *testing.T) {
	a, b := &collector{}, &collector{}
	for _, out := range []*collector{a, b} {
		if err := sourceOf(&input{from: strings.NewReader("{}")}).Run(t.Context(), host(), nil, out); err != nil {
			t.Fatal(err)
		}
	}
	if a.ids[0] == b.ids[0] {
		t.Errorf("both are %s", a.ids[0])
	}
}

// deliver gives payloads to s and returns how each was answered.
func deliver(ctx context.Context, s *sink, payloads ...string) (answers []string, err error) {
	var messages []*component.Message
	for _, p := range payloads {
		messages = append(messages, &component.Message{Payload: []byte(p), Answer: func(_ *component.Message, _ []document.Member, err error) {
			answers = append(answers, fmt.Sprint(err))
		}})
	}
	err = s.Deliver(ctx, messages)
	return answers, err
}

func TestStdoutWritesLines(t *testing.T) {
	var out strings.Builder
	answers, err := deliver(t.Context(), &sink{out: &out}, "{1}", "{2}")
	if err != nil || fmt.Sprint(answers) != "[<nil> <nil>]" || out.String() != "{1}\n{2}\n" {
		t.Errorf("%q, answers %v, error %v", out.String(), answers, err)
	}
}

func TestWriteError(t *testing.T) {
	r, w := io.Pipe()
	cause := errors.New("full")
	r.CloseWithError(cause)
	answers, err := deliver(t.Context(), &sink{out: w}, "{1}")
	if !errors.Is(err, cause) || len(answers) != 0 {
		t.Errorf("answers %v, error %v", answers, err)
	}
}

// A process whose standard output nobody reads any more is ended by the
// kernel, as every other one in a pipe.
func TestAPipeThatNobodyReads(t *testing.T) {
	const child = "ETL_TEST_STDOUT_CHILD"
	if os.Getenv(child) != "" {
		_, err := deliver(t.Context(), &sink{out: os.Stdout}, "{1}")
		t.Fatal("still alive:", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAPipeThatNobodyReads$")
	cmd.Env, cmd.Stdout = append(os.Environ(), child+"=1"), w
	err = cmd.Run()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGPIPE {
		t.Errorf("the process ended with %v", err)
	}
}

// A reader that has stopped does not keep Deliver from returning; what is written
// later stays whole.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		s := &sink{out: w}
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			answers, err := deliver(ctx, s, "{1}")
			cancel()
			if err != nil || fmt.Sprint(answers) != "["+component.ErrReturned.Error()+"]" {
				t.Errorf("answers %v, error %v", answers, err)
			}
		}
		read := make(chan string)
		go func() {
			b, _ := io.ReadAll(r)
			read <- string(b)
		}()
		answers, err := deliver(t.Context(), s, "{1}", "{2}")
		if err != nil || fmt.Sprint(answers) != "[<nil> <nil>]" {
			t.Errorf("answers %v, error %v", answers, err)
		}
		w.Close()
		if got := <-read; got != "{1}\n{1}\n{2}\n" {
			t.Errorf("%q", got)
		}
	})
}
