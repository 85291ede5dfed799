package main

import (
	"os"
	"regexp"
	"slices"

	"github.com/wazuh-etl/etl/builtin/generate/corpus"
)

// turns are how often each contender is measured.
type turns struct {
	broker int // those that need the broker, or many seconds
	quick  int // those that only read the file, in a second or so
}

// compare measures every contender whose name matches, a group after the other
// and in a group in turns, and prints the table and the ratios.
func (b *bench) compare(size int64, n turns, match *regexp.Regexp) error {
	files := make(map[corpus.Mix]*alerts)
	for _, mix := range []corpus.Mix{corpus.MixBusy, corpus.MixIrrelevant, corpus.MixLinux, corpus.MixWindows} {
		made, err := makeAlerts(b.dir, mix, size)
		if err != nil {
			return err
		}
		defer os.Remove(made.file)
		files[mix] = made
	}
	busy, irrelevant, linux, windows := files[corpus.MixBusy], files[corpus.MixIrrelevant], files[corpus.MixLinux], files[corpus.MixWindows]

	kafka := b.etl("etl", busy, true, "dfn.hcl", "kafka.hcl")
	snappy := b.etl("etl, compression = \"snappy\"", busy, true, "dfn.hcl", "kafka_snappy.hcl")
	rivals := peers(busy)
	blackhole := b.etl("etl, into a blackhole", busy, false, "dfn.hcl", "blackhole.hcl")
	conditions := grepConditions(busy)
	drops := onOneCore(b.etl("etl, two filters", irrelevant, false, "dfn.hcl", "blackhole.hcl"))
	dropsLiteral := onOneCore(grepLiteral(irrelevant))
	dropsLinux := onOneCore(b.etl("etl, two filters", linux, false, "dfn.hcl", "blackhole.hcl"))
	dropsLinuxLiteral := onOneCore(grepLiteral(linux))
	oneFilter, manyFilters := b.filters("etl, 1 filter", 1, irrelevant), b.filters("etl, 100 filters", 100, irrelevant)
	lua := b.etl("etl, Windows path alone, into a blackhole", windows, false, "dfn.hcl", "blackhole.hcl")
	luaThen := theExperiment(windows)

	groups := []group{
		{"file → filter → envelope → Kafka", n.broker, append([]*contender{kafka, snappy, b.shipped(busy)}, rivals...)},
		{"the same alerts, every line parsed", n.broker, []*contender{encodingJSON(busy)}},
		{"the same alerts, without a target", n.quick, []*contender{blackhole, conditions, grepLiteral(busy), lineCount(busy), theExperiment(busy)}},
		{"alerts that no filter wants, Windows events of other IDs among them", n.quick, []*contender{drops, dropsLiteral, oneFilter, manyFilters}},
		{"Linux alerts only", n.quick, []*contender{dropsLinux, dropsLinuxLiteral}},
		{"Windows events only, all wanted", n.quick, []*contender{lua, luaThen}},
	}
	if match.MatchString(kafka.name) {
		if _, err := b.run(kafka); err != nil { // a broker that has just been started is slow
			return err
		}
	}
	all := make(map[*contender]*series)
	for _, g := range groups {
		g.contenders = slices.DeleteFunc(slices.Clone(g.contenders), func(c *contender) bool { return !match.MatchString(c.name) })
		for _, c := range g.contenders {
			all[c] = &series{contender: c}
		}
		for turn := range g.turns {
			if err := b.take(turn, g.contenders, all); err != nil {
				return err
			}
			slices.Reverse(g.contenders) // nobody is always behind the same one
		}
	}
	b.report.table(groups, all)

	fastest, leanest := all[rivals[0]], all[rivals[0]]
	for _, c := range rivals {
		s := all[c]
		if !s.measured() {
			continue
		}
		if !fastest.measured() || median(s.all((*series).speed)) > median(fastest.all((*series).speed)) {
			fastest = s
		}
		if !leanest.measured() || median(s.all((*series).cpu)) < median(leanest.all((*series).cpu)) {
			leanest = s
		}
	}
	const faster, more = "times as fast", "times as much"
	b.report.ratios([]ratio{
		{"into Kafka, against the fastest peer", "at least 5", all[kafka].against(fastest, (*series).speed), faster},
		{"into Kafka, CPU", "at most 2", all[kafka].all((*series).cpu), "s/GB"},
		{"into Kafka, CPU of the leanest peer against etl's", "at least 7", leanest.against(all[kafka], (*series).cpu), more},
		{"into a blackhole, against grep -cE with the two conditions", "more than 1", all[blackhole].against(all[conditions], (*series).speed), faster},
		{"no filter wants them, one core, against grep -c", "at least 1", all[drops].against(all[dropsLiteral], (*series).speed), faster},
		{"Linux alerts only, one core, against grep -c", "at least 1", all[dropsLinux].against(all[dropsLinuxLiteral], (*series).speed), faster},
		{"Windows path alone, CPU, against the experiment", "at most 0.5", all[lua].against(all[luaThen], (*series).cpu), more},
		{"Windows path alone, CPU", "half of the next line's", all[lua].all((*series).perAlert), "µs/alert"},
		{"the experiment on the same, CPU", "25 in the issue, there", all[luaThen].all((*series).perAlert), "µs/alert"},
		{"100 filters against one, CPU", "less than 3", all[manyFilters].against(all[oneFilter], (*series).cpu), more},
	})
	return nil
}

// take gives each contender its turn.
func (b *bench) take(turn int, contenders []*contender, all map[*contender]*series) error {
	for _, c := range contenders {
		if c.missing != "" {
			continue
		}
		r, err := b.run(c)
		if err := b.ctx.Err(); err != nil {
			return err
		}
		if err != nil {
			b.report.note("%s, turn %d: %v", c.name, turn+1, err)
			continue
		}
		r.turn = turn
		all[c].results = append(all[c].results, r)
	}
	return nil
}
