//go:build integration

package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/wazuh-etl/etl/testdata/servers"
)

// kind is a kind of fault.
type kind string

const (
	kill        kind = "kill -9"
	stop        kind = "stop and start"
	freeze      kind = "SIGSTOP, SIGCONT"
	storm       kind = "SIGHUP storm"
	rotation    kind = "rotation"
	compression kind = "compression"
	truncation  kind = "truncation"
	full        kind = "disk full"
	cut         kind = "network cut"
	hang        kind = "network hangs"
	slow        kind = "network slow"
	restart     kind = "server restart"
)

var allKinds = []kind{kill, stop, freeze, storm, rotation, compression, truncation, full, cut, hang, slow, restart}

// fault is one of a schedule: it comes when line at is written.
type fault struct {
	kind kind
	at   int
}

func (f fault) String() string { return fmt.Sprintf("%s@%d", f.kind, f.at) }

// weights are how often each kind is drawn for a pipeline of this shape.
func (s shape) weights() map[kind]int {
	w := map[kind]int{kill: 6, stop: 3, freeze: 3, storm: 4}
	switch {
	case s.pipe:
	case s.style == byTruncate:
		w[truncation] = 6
	case s.style == byCopy:
		w[rotation] = 6
	default:
		w[rotation], w[compression] = 6, 4
	}
	if s.smallDisk {
		w[full] = 4
	}
	if toKafka, toNATS := s.networks(); toKafka || toNATS {
		w[cut], w[hang], w[slow] = 5, 3, 2
	}
	return w
}

// drawFaults makes the faults of a schedule: seven or more, of at least four kinds.
func drawFaults(rng *rand.Rand, s shape, lines int) []fault {
	weights, total := s.weights(), 0
	for _, n := range weights {
		total += n
	}
	for {
		list := make([]fault, 7+rng.IntN(3))
		var seen []kind
		for i := range list {
			x := rng.IntN(total)
			for _, k := range allKinds {
				if x -= weights[k]; x < 0 {
					list[i].kind = k
					break
				}
			}
			list[i].at = (i + 1) * lines / (len(list) + 2)
			if !slices.Contains(seen, list[i].kind) {
				seen = append(seen, list[i].kind)
			}
		}
		if len(seen) < 4 {
			continue
		}
		// A server is everybody's, and takes seconds to come back.
		if toKafka, toNATS := s.networks(); (toKafka || toNATS) && rng.IntN(8) == 0 {
			list[rng.IntN(len(list))].kind = restart
		}
		return list
	}
}

// apply makes a fault happen.
func (s *schedule) apply(k kind) {
	s.note("fault: %s", k)
	switch k {
	case kill:
		time.Sleep(s.some(0, 40*time.Millisecond))
		s.strike(k)
		s.daemon.kill()
		s.down()
	case stop:
		s.strike(k)
		s.halt()
		s.down()
	case freeze:
		rotates := s.rotates() && s.rng.IntN(2) == 0
		s.amid()
		s.daemon.freeze()
		s.strike(k)
		if rotates {
			s.rotate()
		}
		time.Sleep(s.some(50*time.Millisecond, 600*time.Millisecond))
		s.daemon.thaw()
	case storm:
		s.storm()
	case rotation:
		for range 1 + s.rng.IntN(3) {
			if s.rotates() {
				s.strike(k)
				s.rotate()
			}
		}
	case compression:
		s.strike(k)
		s.rotate()
		s.writer.do(func() { s.note("%d files compressed", s.writer.compress()) })
	case truncation:
		s.truncate()
	case full:
		s.lasting(k, func() { s.must(s.disk.fill()) }, func() { s.must(s.disk.free()) }, 100*time.Millisecond, 900*time.Millisecond)
	case cut:
		s.network(k, servers.Traffic{Cut: true}, 20*time.Millisecond, 700*time.Millisecond)
	case hang:
		s.network(k, servers.Traffic{Hang: true}, 50*time.Millisecond, time.Second)
	case slow:
		s.network(k, servers.Traffic{Delay: s.some(2*time.Millisecond, 20*time.Millisecond)}, 200*time.Millisecond, 1500*time.Millisecond)
	case restart:
		s.restart()
	}
}

// lasting begins a fault and ends it after a random time, half of the time while
// other faults come already.
func (s *schedule) lasting(k kind, begin, end func(), least, most time.Duration) {
	for _, other := range s.ends {
		other() // one at a time
	}
	s.amid()
	begin()
	s.strike(k)
	over := make(chan struct{})
	timer := time.AfterFunc(s.some(least, most), func() { defer close(over); end(); s.note("%s is over", k) })
	s.ends = []func(){func() {
		if timer.Stop() {
			end()
			return
		}
		<-over
	}}
	if s.rng.IntN(2) == 0 {
		<-over
	}
}

func (s *schedule) network(k kind, t servers.Traffic, least, most time.Duration) {
	way := s.lane.kafka
	if toKafka, toNATS := s.shape.networks(); toNATS && (!toKafka || s.rng.IntN(2) == 0) {
		way = s.lane.nats
	}
	s.lasting(k, func() { way.Set(t) }, func() { way.Set(servers.Traffic{}) }, least, most)
}

func (s *schedule) restart() {
	s.amid()
	meanwhile := func() { s.strike(restart) } // while it is away everything is in flight
	down := s.some(0, time.Second)
	gently := s.rng.IntN(2) == 0
	if toKafka, toNATS := s.shape.networks(); toNATS && (!toKafka || s.rng.IntN(2) == 0) {
		end := s.site.nats.Kill
		if gently {
			end = s.site.nats.Stop
		}
		s.site.restart(s.site.nats, end, meanwhile, down)
		return
	}
	end := s.site.broker.Kill
	if gently {
		end = s.site.broker.Stop
	}
	s.site.restart(s.site.broker, end, meanwhile, down)
}

// truncate cuts the file to nothing, without a copy. Until every sink has got to what
// comes next nothing else happens: where a sink stands in a file that is gone, nobody knows.
func (s *schedule) truncate() {
	s.heal()
	s.strike(truncation)
	s.rotate()
	from := s.ledger.count()
	s.writer.do(func() { s.writer.burst(20) })
	s.wait("every sink's checkpoint behind a truncation", func() bool {
		for _, n := range s.oracle.checkpoints() {
			if n <= from {
				return false
			}
		}
		return true
	})
}

// storm sends SIGHUP many times, and changes the pipeline in between.
func (s *schedule) storm() {
	s.wait("a process that is ready for SIGHUP", func() bool { return s.daemon.ready() > 0 })
	s.strike(storm)
	for range 2 + s.rng.IntN(12) {
		before := s.oracle.stretches()
		replaced := false
		switch s.rng.IntN(5) {
		case 0:
			s.shape.edits++
		case 1:
			s.shape.sink++
			replaced = true
		case 2:
			s.must(s.daemon.configure("this is no pipeline"))
		}
		if s.rng.IntN(3) > 0 {
			s.must(s.daemon.configure(s.text()))
		}
		run, told := s.daemon.running, s.daemon.ready()
		s.daemon.hup()
		if replaced || s.rng.IntN(2) == 0 {
			s.wait("the end of a reload", func() bool { return s.daemon.running != run || s.daemon.ready() > told })
		}
		if replaced {
			s.oracle.interrupted(before)
		}
		if s.daemon.running != run { // it has ended by itself, and is not ready for the next
			break
		}
	}
	s.must(s.daemon.configure(s.text()))
}
