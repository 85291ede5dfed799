package lang

import (
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/diag"
	"github.com/wazuh-etl/etl/runtime/lang/expression"
	"github.com/wazuh-etl/etl/runtime/plan"
)

// Load reads the pipeline at path, a file or a directory, as seen from the working
// directory. It reports everything it finds at once, warnings included; the plan is nil
// if one finding is an error. The plan's components are made but touch nothing outside yet.
func Load(path string, o Options) (*plan.Plan, diag.List) {
	o.complete()
	l := &loader{
		o:     o,
		plan:  &plan.Plan{},
		files: map[string]*file{},
		vars:  map[string]*variable{}, locals: map[string]*local{},
		nodes: map[string]*node{}, connections: map[string]*connection{},
		reads: map[string]bool{}, secrets: map[string]bool{},
	}
	l.evaluation = &hcl.EvalContext{Functions: l.functions(), Variables: map[string]cty.Value{"var": cty.EmptyObjectVal}}
	l.load(path)
	l.plan.Reads = sortedKeys(l.takeReads(map[string]bool{}))
	l.list = tidy(l.hideSecrets(l.list))
	if l.list.Failed() {
		return nil, l.list
	}
	if l.plan != nil {
		l.plan.Secrets = l.secretTexts()
	}
	return l.plan, l.list
}

// loader is one load.
type loader struct {
	o    Options
	plan *plan.Plan
	list diag.List

	shown      string           // the pipeline's directory as messages call it
	files      map[string]*file // by name
	dangling   bool             // some `from` leads nowhere: what nobody reads may be meant
	incomplete bool             // some block could not be read: what is missing may stand there

	vars       map[string]*variable
	locals     map[string]*local
	varNames   []string // in the order written
	localNames []string
	given      map[string]string // values of variables by --var and a test's vars
	evaluation *hcl.EvalContext  // functions, and the variables once they have values
	env        *expression.Env   // once the locals have

	defaults *hclsyntax.Block // queue {} at the top level
	queues   plan.Queue       // what it says
	runtime  *hclsyntax.Block
	tests    []*hclsyntax.Block

	connections map[string]*connection // by address

	nodes map[string]*node // by address
	order []*node          // as written
	each  *each            // of the source that is decoded, if for_each made it
	// anyKey: a test is read that is not run. Its own vars may give for_each other keys.
	anyKey bool

	secrets map[string]bool   // texts that no message may show
	mu      sync.Mutex        // guards reads: components read files while they run, too
	reads   map[string]bool   // absolute
	shapes  map[string]*shape // by the name of the schema
}

func (l *loader) report(d diag.Diagnostic) { l.list = append(l.list, d) }

func (l *loader) fail(code diag.Code, at hcl.Range, message, suggestion string) {
	l.report(diag.Diagnostic{Code: code, Range: l.at(at), Message: message, Suggestion: suggestion})
}

func (l *loader) warn(code diag.Code, at diag.Range, message, suggestion string) {
	l.report(diag.Diagnostic{Code: code, Severity: diag.Warning, Range: at, Message: message, Suggestion: suggestion})
}

func (l *loader) at(r hcl.Range) diag.Range {
	f := l.files[r.Filename]
	if f == nil {
		return diag.Range{File: r.Filename, Start: diag.Pos(r.Start), End: diag.Pos(r.End)}
	}
	return f.at(r)
}

func (l *loader) file(e interface{ Range() hcl.Range }) *file { return l.files[e.Range().Filename] }

func (l *loader) load(path string) {
	files := l.open(path)
	var bodies []*hclsyntax.Body
	for _, f := range files {
		l.files[f.name] = f
		if at := f.invalid(); at >= 0 {
			l.incomplete = true
			l.report(f.notUTF8(at))
			continue
		}
		parsed, broken, list := f.parse()
		bodies = append(bodies, parsed...)
		l.list = append(l.list, list...)
		for _, h := range broken {
			l.declareBroken(h)
		}
	}
	if len(files) == 0 {
		return
	}
	for _, b := range bodies {
		l.declare(b)
	}
	l.evaluateVariables()
	l.evaluateLocals()
	l.decodeRuntime()
	l.decodeConnections()
	l.expandSources()
	for _, n := range l.order {
		l.decodeNode(n)
	}
	l.connect()
	l.warnOfUnused()
	l.decodeTests()
	l.finish()
}

// open reads the files of the pipeline and knows its name and directory.
func (l *loader) open(path string) []*file {
	refuse := func(code diag.Code, message, suggestion string) []*file {
		l.report(diag.Diagnostic{Code: code, Range: diag.Range{File: path}, Message: message, Suggestion: suggestion})
		return nil
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return refuse(diag.FileUnreadable, "finding the pipeline: "+reason(err), "")
	}
	info, err := l.o.FS.Stat(abs)
	if err != nil {
		return refuse(diag.FileUnreadable, "opening the pipeline: "+reason(err), "")
	}
	if strings.HasSuffix(path, testSuffix) {
		return refuse(diag.NoPipeline, "this file holds only tests", "name the pipeline beside it: "+strings.TrimSuffix(path, testSuffix)+".hcl")
	}
	var names []string
	if info.IsDir() {
		entries, err := l.o.FS.ReadDir(abs)
		if err != nil {
			return refuse(diag.FileUnreadable, "reading the directory: "+reason(err), "")
		}
		for _, e := range entries {
			if !e.IsDir() && strings.HasSuffix(e.Name(), ".hcl") {
				names = append(names, filepath.Join(path, e.Name()))
			}
		}
		sort.Strings(names)
		if len(names) == 0 {
			return refuse(diag.NoPipeline, "no *.hcl in this directory", "")
		}
		l.shown, l.plan.Dir, l.plan.Name = path, abs, filepath.Base(abs)
	} else {
		names = []string{path}
		l.shown, l.plan.Dir, l.plan.Name = filepath.Dir(path), filepath.Dir(abs), strings.TrimSuffix(filepath.Base(abs), ".hcl")
		beside := strings.TrimSuffix(path, ".hcl") + testSuffix
		if _, err := l.o.FS.Stat(strings.TrimSuffix(abs, ".hcl") + testSuffix); err == nil {
			names = append(names, beside)
		}
	}
	var files []*file
	for _, name := range names {
		tests := strings.HasSuffix(name, testSuffix)
		if tests && !l.wantsTests() {
			continue
		}
		full := filepath.Join(l.plan.Dir, filepath.Base(name))
		l.noteRead(full)
		raw, err := l.o.FS.ReadFile(full)
		if err != nil {
			l.incomplete = true
			l.report(diag.Diagnostic{Code: diag.FileUnreadable, Range: diag.Range{File: name}, Message: "reading the file: " + reason(err)})
			continue
		}
		f := newFile(name, full, raw)
		f.tests = tests
		files = append(files, f)
	}
	return files
}

const testSuffix = ".test.hcl"

func (l *loader) wantsTests() bool { return l.o.Mode != Run && l.o.Mode != DryRun }

// absolute is what a read path in the pipeline means.
func (l *loader) absolute(name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(l.plan.Dir, name)
}

// display is how messages call a file: as seen from where the operator stands.
func (l *loader) display(abs string) string {
	if rel, err := filepath.Rel(l.plan.Dir, abs); err == nil && !filepath.IsAbs(l.shown) {
		if name := filepath.Join(l.shown, rel); !strings.HasPrefix(name, "../..") {
			return name
		}
	}
	return abs
}

// readFile is component.Config.ReadFile.
func (l *loader) readFile(name string) (content []byte, display string, err error) {
	name = l.absolute(name)
	l.noteRead(name)
	content, err = l.o.FS.ReadFile(name)
	if err == nil || !os.IsNotExist(err) {
		return content, l.display(name), err
	}
	if content, display, ok := l.embedded(name); ok {
		return content, display, nil
	}
	return nil, l.display(name), err
}

func (l *loader) noteRead(abs string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads[abs] = true
}

// takeReads is what was read since the last call, instead of which reading
// goes on with into.
func (l *loader) takeReads(into map[string]bool) map[string]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	taken := l.reads
	l.reads = into
	return taken
}

// embedded looks for lua/x.lua, however far above the pipeline it is written
// (../lua/x.lua), in the modules in the binary.
func (l *loader) embedded(abs string) (content []byte, display string, ok bool) {
	rel, err := filepath.Rel(l.plan.Dir, abs)
	if err != nil {
		return nil, "", false
	}
	rel = filepath.ToSlash(rel)
	for strings.HasPrefix(rel, "../") {
		rel = rel[len("../"):]
	}
	folder, name, _ := strings.Cut(rel, "/")
	module := l.o.Embedded[folder]
	if module == nil || name == "" {
		return nil, "", false
	}
	content, err = fs.ReadFile(module, name)
	return content, rel + " (built in)", err == nil
}

// finish checks what only the whole can tell, and makes the plan.
func (l *loader) finish() {
	l.makeComponents()
	l.warnOfPaths()
	if l.list.Failed() {
		return
	}
	l.assemble()
}

// tidy orders findings as the files have them and drops what is said twice.
func tidy(list diag.List) diag.List {
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i].Range, list[j].Range
		if a.File != b.File {
			return a.File < b.File
		}
		return a.Start.Byte < b.Start.Byte
	})
	var out diag.List
	seen := map[diag.Diagnostic]bool{}
	for _, d := range list {
		if !seen[d] {
			seen[d] = true
			out = append(out, d)
		}
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// spec is the component of a role and kind, nil if there is none, and all kinds there are.
func (l *loader) spec(role component.Role, kind string) (found *component.Spec, kinds []string) {
	for _, s := range l.o.Specs {
		if s.Role == role {
			kinds = append(kinds, s.Kind)
			if s.Kind == kind {
				found = s
			}
		}
	}
	sort.Strings(kinds)
	return found, kinds
}
