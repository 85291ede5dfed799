package deadletter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wazuh-etl/etl/runtime/ack"
	"github.com/wazuh-etl/etl/runtime/document"
	"github.com/wazuh-etl/etl/runtime/event"
	"github.com/wazuh-etl/etl/runtime/world/worldtest"
)

const archived = "/state/dead_letters.jsonl"

// filled is a store of n records in two halves.
func filled(t *testing.T, n int) *worldtest.FS {
	t.Helper()
	files := worldtest.NewFS()
	s, err := Open(files, archived, int64(n*320), nil)
	if err != nil {
		t.Fatal(err)
	}
	stream := &event.Stream{Source: "source.file.alerts", Generation: "gen", File: "/var/alerts.json"}
	for i := range n {
		e := event.New(stream, int64(i), fmt.Appendf(nil, `{"n":%d}`, i), read, ack.Token{}).WithFailure(&event.Failure{Component: "sink.kafka.x", Code: "c", Message: "<m> & more", Time: read})
		if err := s.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := files.Stat(archived + ".1"); err != nil {
		t.Fatal("there is one half only")
	}
	return files
}

func archive(t *testing.T, files *worldtest.FS) *Archive {
	t.Helper()
	a, err := OpenArchive(files, archived)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func all(t *testing.T, a *Archive) (records []*Record) {
	t.Helper()
	damaged, err := a.Each(func(r *Record) error { records = append(records, r); return nil })
	if err != nil || damaged > 0 {
		t.Fatal(err, damaged)
	}
	return records
}

func offsets(records []*Record) (list []int64) {
	for _, r := range records {
		list = append(list, r.Offset)
	}
	return list
}

func TestParsedRecordsAreTheSame(t *testing.T) {
	failure := &event.Failure{Component: "transform.lua.x", Code: "lua", Message: "boom\x1b", Time: read, Attempts: 3, File: "/p/x.lua", Line: 7, Trace: "stack"}
	own := failed(`{"a":1}`, failure)
	own.SetID("the pipeline's own")
	partition := event.New(&event.Stream{Source: "source.kafka.x", Generation: "g", Position: func(o int64) document.Value {
		return document.NewObject([]document.Member{{Name: "partition", Value: document.NewInt(o)}})
	}}, 7, []byte(`{"a":1.0e3}`), read, ack.Token{}).WithFailure(failure)
	for name, e := range map[string]*event.Event{
		"derived":  failed(`{"a":1}`, nil).Derive("transform.map.y", 2, document.NewObject([]document.Member{{Name: "b", Value: document.NewInt(2)}})).WithFailure(failure),
		"as it is": failed(`{"a":1}`, failure),
		"own id":   own,
		"no JSON":  failed(`{"a":`, failure),
		"no UTF-8": failed("{\"a\":\"\xf8\"}", failure),
		"position": partition,
	} {
		text := AppendRecord(nil, e)
		r, err := Parse(text)
		if err != nil {
			t.Fatal(name, err)
		}
		if diff := cmp.Diff(string(text), string(AppendRecord(nil, r.Failed()))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if string(r.Bytes()) != string(e.Origin().Raw()) {
			t.Errorf("%s: the bytes are %q", name, r.Bytes())
		}
		if got := event.New(r.Stream(), r.Offset, r.Bytes(), r.Received, ack.Token{}).ID(); got != fmt.Sprintf("%s@%d", e.Stream().Generation, e.Offset()) {
			t.Errorf("%s: the origin's id is %s", name, got)
		}
	}
}

func TestRecordsOfBefore(t *testing.T) {
	for id, want := range map[string]string{
		"2025/Nov/ossec-alerts-21.json:ab12@17/transform.lua.x#0": "2025/Nov/ossec-alerts-21.json:ab12@17",
		"ab12~1@17":  "ab12~1@17",
		"user@x.org": "@0",
	} {
		r, err := Parse([]byte(`{"id":"` + id + `","source":"source.file.a"}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%s@%d", r.Generation, r.Offset); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"id":"a@1","source":"s","raw":"{}","event":{},"position":{"path":"p","offset":1}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if r, err := Parse(line); err == nil {
			AppendRecord(nil, r.Failed())
		}
	})
}

func TestArchive(t *testing.T) {
	files := filled(t, 20)
	a := archive(t, files)
	records := all(t, a)
	if !slices.IsSorted(offsets(records)) || len(records) != 20 {
		t.Fatalf("records %v", offsets(records))
	}
	instead := string(AppendRecord(nil, failed(`{"x":"<&>"}`, &event.Failure{Code: "again", Message: "m", Time: read})))
	if err := a.Apply(Change{Taken: records[3].Fingerprint()}, Change{Taken: records[15].Fingerprint(), Instead: []string{instead}}); err != nil {
		t.Fatal(err)
	}
	want := offsets(records)
	want[15] = 42
	want = slices.Delete(want, 3, 4)
	for _, what := range []string{"noted", "noted, opened again", "compacted", "compacted, opened again"} {
		got := all(t, a)
		if diff := cmp.Diff(want, offsets(got)); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
		if string(got[14].Text) != instead {
			t.Errorf("%s: instead stands %s", what, got[14].Text)
		}
		switch what {
		case "noted, opened again":
			if err := a.Compact(); err != nil {
				t.Fatal(err)
			}
		default:
			a = archive(t, files)
		}
	}
	if _, err := files.Stat(archived + ".replayed"); err == nil {
		t.Error("the journal is still there")
	}
	b, err := files.ReadFile(archived)
	if err != nil || strings.Count(string(b), "again") != 1 {
		t.Errorf("%v: %s", err, b)
	}
}

// The machine dies at each operation on files in turn: nothing is lost, nothing
// is there twice, and what was taken out for good stays out.
func TestArchiveSurvivesEveryCrash(t *testing.T) {
	dead := errors.New("dead")
	for n := 1; ; n++ {
		files := filled(t, 20)
		a := archive(t, files)
		records := all(t, a)
		ops := 0
		files.Fault(func(worldtest.Op, string) error {
			if ops++; ops >= n {
				return dead
			}
			return nil
		})
		out := map[int64]bool{}
		for i := 0; i < 20; i += 4 {
			if a.Apply(Change{Taken: records[i].Fingerprint()}, Change{Taken: records[i+1].Fingerprint()}) == nil {
				out[int64(i)], out[int64(i+1)] = true, true
			}
		}
		err := a.Compact()
		survived := err == nil
		files.Fault(nil)
		files.Crash(func(_ string, unsynced int) int { return unsynced * n % 3 / 2 })
		seen := map[int64]bool{}
		for _, o := range offsets(all(t, archive(t, files))) {
			if seen[o] || out[o] {
				t.Fatalf("operation %d: %d is there twice, or again", n, o)
			}
			seen[o] = true
		}
		for o := range int64(20) {
			if !seen[o] && !out[o] && o%4 > 1 {
				t.Fatalf("operation %d: %d is lost", n, o)
			}
		}
		if err := archive(t, files).Compact(); err != nil {
			t.Fatal(err)
		}
		if survived {
			if n < 15 {
				t.Errorf("only %d operations", n)
			}
			return
		}
	}
}
