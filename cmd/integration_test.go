//go:build integration

package cmd

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/wazuh-etl/etl/testdata/servers"
)

// The whole program against a real Kafka, as an operator runs it.

// operator runs pipelines/wazuh-dfn.hcl in a directory of its own.
type operator struct {
	t        *testing.T
	dir      string
	alerts   string // the file that the manager writes
	socket   string // the manager's queue socket
	state    string // the state directory, in dir
	broker   *servers.Broker
	topic    string
	log      *os.File
	process  *exec.Cmd
	receipts *receipts
}

func newOperator(t *testing.T, broker *servers.Broker) *operator {
	t.Helper()
	o := &operator{t: t, state: "state", dir: t.TempDir(), broker: broker.For(t), topic: "dfn-" + strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-"))}
	o.alerts = filepath.Join(o.dir, "alerts", "alerts.json")
	if err := os.Mkdir(filepath.Dir(o.alerts), 0o750); err != nil {
		t.Fatal(err)
	}
	o.socket = filepath.Join(o.dir, "queue")
	broker.Create(o.topic, 1, nil)
	o.brokers(broker.TLS)
	o.etl("init", "wazuh-dfn", filepath.Join(o.dir, "pipeline"))
	log, err := os.Create(filepath.Join(o.dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	o.log = log
	t.Cleanup(func() {
		if o.process != nil {
			_ = o.process.Process.Kill()
			_ = o.process.Wait()
		}
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			if len(text) > 40000 {
				text = slices.Concat(text[:4000], []byte("\n...\n"), text[len(text)-36000:])
			}
			t.Logf("the log of etl ends:\n%s", text)
		}
		log.Close()
	})
	o.receipts = listen(t, o.socket)
	return o
}

// brokers writes the addresses that the pipeline is given.
func (o *operator) brokers(address string) {
	o.t.Helper()
	text := fmt.Sprintf(`brokers      = [%q]
topic        = %q
alerts_file  = %q
wazuh_socket = %q
ca_file      = %q
cert_file    = %q
key_file     = %q
`, address, o.topic, o.alerts, o.socket, o.broker.CAFile, o.broker.CertFile, o.broker.KeyFile)
	if err := os.WriteFile(filepath.Join(o.dir, "values"), []byte(text), 0o644); err != nil {
		o.t.Fatal(err)
	}
}

// etl runs a command to its end.
func (o *operator) etl(args ...string) string {
	o.t.Helper()
	out, err := exec.Command(servers.Program(o.t), args...).CombinedOutput()
	if err != nil {
		o.t.Fatalf("etl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (o *operator) pipeline() string { return filepath.Join(o.dir, "pipeline", "wazuh-dfn.hcl") }

// start runs the pipeline. It does not wait until that reads.
func (o *operator) start() {
	o.t.Helper()
	o.process = exec.Command(servers.Program(o.t), "run", o.pipeline(), "--var-file", filepath.Join(o.dir, "values"), "--state-dir", filepath.Join(o.dir, o.state))
	o.process.Stdout, o.process.Stderr = o.log, o.log
	if err := o.process.Start(); err != nil {
		o.t.Fatal(err)
	}
}

// stop stops it as systemd does, and wants exit code 0.
func (o *operator) stop() {
	o.t.Helper()
	if err := o.process.Process.Signal(syscall.SIGTERM); err != nil {
		o.t.Fatal(err)
	}
	process := o.process
	o.process = nil
	if err := o.ended(process); err != nil {
		o.t.Errorf("etl ended with %v", err)
	}
}

// ended waits for the end of a process. One that does not end writes down where
// it hangs, in the log that a failed test shows.
func (o *operator) ended(process *exec.Cmd) error {
	o.t.Helper()
	end := make(chan error, 1)
	go func() { end <- process.Wait() }()
	select {
	case err := <-end:
		return err
	case <-time.After(2 * time.Minute):
	}
	_ = process.Process.Signal(syscall.SIGQUIT)
	time.AfterFunc(10*time.Second, func() { _ = process.Process.Kill() })
	o.t.Fatalf("etl does not end: %v", <-end)
	return nil
}

func (o *operator) kill() {
	o.t.Helper()
	_ = o.process.Process.Kill()
	_ = o.process.Wait()
	o.process = nil
}

func (o *operator) reload() {
	o.t.Helper()
	if err := o.process.Process.Signal(syscall.SIGHUP); err != nil {
		o.t.Fatal(err)
	}
}

// edit changes the pipeline file.
func (o *operator) edit(from, to string) {
	o.t.Helper()
	text, err := os.ReadFile(o.pipeline())
	if err != nil {
		o.t.Fatal(err)
	}
	if !bytes.Contains(text, []byte(from)) {
		o.t.Fatalf("the pipeline has no %q", from)
	}
	if err := os.WriteFile(o.pipeline(), bytes.ReplaceAll(text, []byte(from), []byte(to)), 0o644); err != nil {
		o.t.Fatal(err)
	}
}

// said waits until the log has text.
func (o *operator) said(text string) {
	o.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		log, err := os.ReadFile(o.log.Name())
		if err != nil {
			o.t.Fatal(err)
		}
		if bytes.Contains(log, []byte(text)) {
			return
		}
		if time.Now().After(deadline) {
			o.t.Fatalf("the log does not say %q", text)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// manager appends numbered alerts as Wazuh does: some of them torn over two
// writes, most of them not relevant, into a dated file that alerts.json is a
// hard link of.
type manager struct {
	o       *operator
	file    *os.File
	dated   int // how many dated files there have been
	next    int // number of the next relevant alert
	rotates chan chan struct{}
	stop    chan struct{}
	done    sync.WaitGroup
}

// write appends relevant alerts at a rate a second until told to stop; each
// is followed by three that no filter wants.
func (o *operator) write(rate int) *manager {
	o.t.Helper()
	m := &manager{o: o, rotates: make(chan chan struct{}), stop: make(chan struct{})}
	m.turn()
	m.done.Go(func() {
		defer m.file.Close()
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-m.stop:
				return
			case turned := <-m.rotates:
				m.turn()
				close(turned)
			case <-tick.C:
				m.append(max(1, rate/100))
			}
		}
	})
	return m
}

// append writes n relevant alerts, cut somewhere into two writes.
func (m *manager) append(n int) {
	var b bytes.Buffer
	for range n {
		fmt.Fprintf(&b, `{"timestamp":"2026-03-01T12:00:00.000+0000","rule":{"level":5,"groups":["syslog","fail2ban"]},"agent":{"id":"007","name":"edge","ip":"10.0.0.7"},"id":"1.%d","full_log":"fail2ban: number %d end","data":{"severity":"NOTICE","srcip":"1.1.1.77","program_name":"fail2ban.actions","pid":"1"},"location":"x"}`+"\n", m.next, m.next)
		for range 3 {
			b.WriteString(`{"timestamp":"2026-03-01T12:00:00.000+0000","rule":{"level":3,"groups":["sshd"]},"agent":{"id":"008","name":"web"},"id":"2.2","full_log":"nothing to see","data":{"srcip":"10.0.0.1"},"location":"y"}` + "\n")
		}
		m.next++
	}
	half := b.Len() / 2
	_, err1 := m.file.Write(b.Bytes()[:half])
	_, err2 := m.file.Write(b.Bytes()[half:])
	if err := errors.Join(err1, err2); err != nil {
		m.o.t.Error(err)
	}
}

// rotate does what Wazuh does at midnight or when a file is full.
func (m *manager) rotate() {
	turned := make(chan struct{})
	m.rotates <- turned
	<-turned
}

// turn ends the dated file and makes alerts.json a link of the next one.
func (m *manager) turn() {
	dir := filepath.Join(filepath.Dir(m.o.alerts), "2026", "Mar")
	name := filepath.Join(dir, "ossec-alerts-01.json")
	if m.dated > 0 {
		name = filepath.Join(dir, fmt.Sprintf("ossec-alerts-01-%03d.json", m.dated))
		m.file.Close()
	}
	m.dated++
	err := os.MkdirAll(dir, 0o750)
	file, err1 := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	m.file = file
	if err2 := os.Remove(m.o.alerts); !errors.Is(err2, os.ErrNotExist) {
		err = errors.Join(err, err2)
	}
	time.Sleep(time.Millisecond) // a short moment without the file belongs to it
	if err := errors.Join(err, err1, os.Link(name, m.o.alerts)); err != nil {
		m.o.t.Error(err)
	}
}

// end stops the writing and says how many relevant alerts there are.
func (m *manager) end() int {
	close(m.stop)
	m.done.Wait()
	return m.next
}

// numbers are those of the records, in the order of the topic.
func numbers(t *testing.T, records []*kgo.Record) []int {
	t.Helper()
	var out []int
	for _, r := range records {
		var message struct {
			Raw string `json:"event_raw"`
		}
		if err := json.Unmarshal(r.Value, &message); err != nil {
			t.Fatalf("record %d is damaged: %v", r.Offset, err)
		}
		fields := strings.Fields(message.Raw)
		n, err := strconv.Atoi(fields[len(fields)-2])
		if err != nil {
			t.Fatalf("record %d is damaged: %q", r.Offset, message.Raw)
		}
		out = append(out, n)
	}
	return out
}

// wantAll waits until every number below n is in the topic, and wants no other
// number, and every number for the first time in order. It returns how many came twice.
func (o *operator) wantAll(n int, timeout time.Duration) (duplicates int) {
	o.t.Helper()
	deadline := time.Now().Add(timeout)
	var got []int
	for {
		got = numbers(o.t, o.broker.WaitRecords(o.topic, n, time.Until(deadline)))
		unique := slices.Clone(got)
		slices.Sort(unique)
		if len(slices.Compact(unique)) >= n {
			break
		}
		if time.Now().After(deadline) {
			o.t.Fatalf("lost: %d of %d alerts are missing after %s", n-len(slices.Compact(unique)), n, timeout)
		}
		time.Sleep(200 * time.Millisecond)
	}
	seen := make([]bool, n)
	last := -1
	for _, k := range got {
		switch {
		case k < 0 || k >= n:
			o.t.Fatalf("phantom: number %d was never written", k)
		case seen[k]:
			duplicates++
		case k < last:
			o.t.Fatalf("reordered: %d came first after %d", k, last)
		default:
			seen[k], last = true, k
		}
	}
	return duplicates
}

// receipts are the datagrams that Wazuh's queue socket got.
type receipts struct {
	mu  sync.Mutex
	all []string
}

func listen(t *testing.T, path string) *receipts {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	r := &receipts{}
	var done sync.WaitGroup
	done.Go(func() {
		buffer := make([]byte, 1<<17)
		for {
			n, err := conn.Read(buffer)
			if err != nil {
				return
			}
			r.mu.Lock()
			r.all = append(r.all, string(buffer[:n]))
			r.mu.Unlock()
		}
	})
	t.Cleanup(func() { conn.Close(); done.Wait() })
	return r
}

func (r *receipts) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

// The examples of testdata/alerts, appended to the file, arrive as expected.
func TestDFNExamplesOverMutualTLS(t *testing.T) {
	broker := servers.Kafka(t, servers.KafkaOptions{NoAutoCreate: true})
	o := newOperator(t, broker)
	o.start()
	examples, err := os.ReadFile("../testdata/alerts/alerts.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(o.alerts)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(bytes.NewReader(examples))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fmt.Fprintf(file, "%s\n", lines.Bytes())
	}
	expected := expectedMessages(t)
	records := broker.WaitRecords(o.topic, len(expected), time.Minute)
	if len(records) != len(expected) {
		t.Errorf("%d messages, want %d", len(records), len(expected))
	}
	for _, r := range records {
		if i := slices.Index(expected, canonical(t, r.Value)); i < 0 {
			t.Errorf("not expected: %.300s", r.Value)
		} else {
			expected = slices.Delete(expected, i, i+1)
		}
	}
	names, err := filepath.Glob("../testdata/alerts/expected/*.wazuh.txt")
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for len(o.receipts.list()) < len(names) && time.Now().Before(deadline) {
		time.Sleep(20 * time.Millisecond)
	}
	got := o.receipts.list()
	for _, name := range names {
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(got, func(s string) bool { return sameDatagram(t, s, strings.TrimSpace(string(want))) }) {
			t.Errorf("no receipt like %s", name)
		}
	}
	o.stop()
}

func expectedMessages(t *testing.T) (out []string) {
	t.Helper()
	names, err := filepath.Glob("../testdata/alerts/expected/*.kafka.json")
	if err != nil || len(names) == 0 {
		t.Fatal("no examples", err)
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, canonical(t, raw))
	}
	return out
}

// canonical is a document with its members in order and no blanks.
func canonical(t *testing.T, raw []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// sameDatagram compares the header to the letter and the JSON by value.
func sameDatagram(t *testing.T, a, b string) bool {
	i, j := strings.Index(a, "{"), strings.Index(b, "{")
	return i > 0 && j > 0 && a[:i] == b[:j] && canonical(t, []byte(a[i:])) == canonical(t, []byte(b[j:]))
}

func TestBrokerStoppedUnderLoadLosesNothing(t *testing.T) {
	broker := servers.Kafka(t, servers.KafkaOptions{NoAutoCreate: true})
	o := newOperator(t, broker)
	load := o.write(1000)
	o.start()
	time.Sleep(2 * time.Second)
	broker.Stop()
	time.Sleep(30 * time.Second)
	broker.Start()
	time.Sleep(2 * time.Second)
	n := load.end()
	duplicates := o.wantAll(n, 2*time.Minute)
	o.stop()
	t.Logf("broker stopped for 30 s at 1000 relevant alerts/s: %d written, 0 lost, 0 reordered, %d twice", n, duplicates)
}

func TestReloadUnderLoadLosesAndReordersNothing(t *testing.T) {
	broker := servers.Kafka(t, servers.KafkaOptions{NoAutoCreate: true})
	o := newOperator(t, broker)
	load := o.write(1000)
	o.start()
	time.Sleep(2 * time.Second)

	o.edit(`"fail2ban" in rule.groups`, `any(rule.groups, # == "fail2ban")`)
	o.reload()
	o.said("INFO  reloaded")
	time.Sleep(time.Second)

	good, err := os.ReadFile(o.pipeline())
	if err != nil {
		t.Fatal(err)
	}
	o.edit(`"fail2ban.actions"`, `"fail2ban.actions`)
	o.reload()
	o.said("reload refused")
	time.Sleep(time.Second)
	if err := os.WriteFile(o.pipeline(), good, 0o644); err != nil {
		t.Fatal(err)
	}

	o.brokers(nobody(t)) // a new address, where nothing listens
	o.reload()
	time.Sleep(3 * time.Second)
	o.brokers(broker.TLS)
	o.reload()
	time.Sleep(3 * time.Second)

	n := load.end()
	duplicates := o.wantAll(n, time.Minute)
	o.stop()
	t.Logf("4 reloads at 1000 relevant alerts/s: %d written, 0 lost, 0 reordered, %d twice", n, duplicates)
}

// nobody is an address where nothing listens.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestKillUnderLoadLosesNothing(t *testing.T) {
	broker := servers.Kafka(t, servers.KafkaOptions{NoAutoCreate: true})
	o := newOperator(t, broker)
	load := o.write(2000)
	const kills = 8
	for i := range kills {
		o.start()
		time.Sleep(time.Duration(400+i*370) * time.Millisecond)
		o.kill()
	}
	o.start()
	time.Sleep(time.Second)
	n := load.end()
	// What came again may come again out of order with what came before the
	// kill, never before its first time.
	duplicates := o.wantAll(n, time.Minute)
	o.stop()
	t.Logf("killed %d times at 2000 relevant alerts/s: %d written, 0 lost, 0 reordered, %d twice", kills, n, duplicates)
}
