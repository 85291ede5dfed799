package main

import (
	"os"
	"regexp"

	"github.com/wazuh-etl/etl/builtin/generate/corpus"
)

// compare measures every contender whose name matches, in turns, and prints
// the table and the ratios.
func (b *bench) compare(size int64, repetitions int, match *regexp.Regexp) error {
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
	lua := b.etl("etl, Windows path alone, into a blackhole", windows, false, "dfn.hcl", "blackhole.hcl")
	oneFilter, manyFilters := b.filters("etl, 1 filter", 1, irrelevant), b.filters("etl, 100 filters", 100, irrelevant)

	groups := []group{
		{"file → filter → envelope → Kafka", append([]*contender{kafka, snappy, b.shipped(busy)}, rivals...)},
		{"the same alerts, without a target", []*contender{blackhole, conditions, grepLiteral(busy), lineCount(busy), encodingJSON(busy)}},
		{"alerts that no filter wants, Windows events of other IDs among them", []*contender{drops, dropsLiteral, oneFilter, manyFilters}},
		{"Linux alerts only", []*contender{dropsLinux, dropsLinuxLiteral}},
		{"Windows events only, all wanted", []*contender{lua}},
	}
	all := make(map[*contender]*series)
	for turn := range repetitions {
		for _, g := range groups {
			for _, c := range g.contenders {
				if !match.MatchString(c.name) {
					continue
				}
				if all[c] == nil {
					all[c] = &series{contender: c}
				}
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
				all[c].results = append(all[c].results, r)
			}
		}
	}
	b.report.table(groups, all)

	peer := all[rivals[0]]
	for _, c := range rivals {
		if s := all[c]; s.measured() && (!peer.measured() || s.best() > peer.best()) {
			peer = s
		}
	}
	fast, dark := all[kafka], all[blackhole]
	b.report.ratios([]ratio{
		{"into Kafka, against the fastest peer", "at least 5", quotient(fast, peer, (*series).best), "times as fast"},
		{"into Kafka, CPU", "at most 2", alone(fast, (*series).cpu), "s/GB"},
		{"into a blackhole, against grep -cE with the two conditions", "more than 1", quotient(dark, all[conditions], (*series).best), "times as fast"},
		{"no filter wants them, one core, against grep -c", "at least 1", quotient(all[drops], all[dropsLiteral], (*series).best), "times as fast"},
		{"Linux alerts only, one core, against grep -c", "at least 1", quotient(all[dropsLinux], all[dropsLinuxLiteral], (*series).best), "times as fast"},
		{"Windows path alone, CPU", "at most 12.5", alone(all[lua], (*series).perAlert), "µs/alert"},
		{"100 filters against one, CPU", "less than 3", quotient(all[manyFilters], all[oneFilter], (*series).cpu), "times as much"},
	})
	return nil
}
