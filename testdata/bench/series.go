package main

import "slices"

// series is what a contender reached, turn after turn.
type series struct {
	contender *contender
	results   []result
}

// group is contenders that do the same, in turn so many times.
type group struct {
	job        string
	turns      int
	contenders []*contender
}

func (s *series) measured() bool { return s != nil && len(s.results) > 0 }

// measure is what one run came to.
type measure func(*series, result) float64

// speed is in MB/s.
func (s *series) speed(r result) float64 {
	return float64(s.contender.alerts.bytes) / 1e6 / r.took.Seconds()
}

// cpu is in seconds per GB.
func (s *series) cpu(r result) float64 {
	return r.cpu.Seconds() / (float64(s.contender.alerts.bytes) / 1e9)
}

// perAlert is the CPU's time, in µs.
func (s *series) perAlert(r result) float64 {
	return float64(r.cpu.Nanoseconds()) / 1e3 / float64(s.contender.alerts.lines)
}

// all are the turns' measures, sorted; none if nothing was measured.
func (s *series) all(what measure) (sorted []float64) {
	if s == nil {
		return nil
	}
	for _, r := range s.results {
		sorted = append(sorted, what(s, r))
	}
	slices.Sort(sorted)
	return sorted
}

// against divides, turn by turn, what s reached by what another did in the
// same turn: what disturbs the machine for a while disturbs both. The quotients
// are sorted.
func (s *series) against(by *series, what measure) (sorted []float64) {
	if s == nil || by == nil {
		return nil
	}
	for _, r := range s.results {
		for _, other := range by.results {
			if r.turn == other.turn {
				sorted = append(sorted, what(s, r)/what(by, other))
			}
		}
	}
	slices.Sort(sorted)
	return sorted
}

// peak is the largest resident size of all turns, in MiB.
func (s *series) peak() float64 {
	return slices.Max(s.all(func(_ *series, r result) float64 { return float64(r.peak) / (1 << 20) }))
}

// verdict is the worst of all turns; nil if there was nothing to compare.
func (s *series) verdict() *verdict {
	for _, r := range s.results {
		if r.verdict != nil && !r.verdict.ok() {
			return r.verdict
		}
	}
	return s.results[0].verdict
}

// median is that of sorted numbers: of an even count, what is halfway between
// the two in the middle.
func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// percentile is that of sorted numbers.
func percentile(sorted []float64, p float64) float64 {
	return sorted[min(len(sorted)-1, int(float64(len(sorted))*p/100))]
}
