package main

import "slices"

// series is what a contender reached, turn after turn.
type series struct {
	contender *contender
	results   []result
}

// group is contenders that do the same.
type group struct {
	job        string
	contenders []*contender
}

func (s *series) measured() bool { return s != nil && len(s.results) > 0 }

// speeds are in MB/s, the slowest first.
func (s *series) speeds() []float64 {
	return s.sorted(func(r result) float64 { return float64(s.contender.alerts.bytes) / 1e6 / r.took.Seconds() })
}

// best is the highest speed, in MB/s: what disturbs a run only makes it slower.
func (s *series) best() float64 { return slices.Max(s.speeds()) }

// cpu is the median, in seconds per GB.
func (s *series) cpu() float64 {
	return median(s.sorted(func(r result) float64 { return r.cpu.Seconds() / (float64(s.contender.alerts.bytes) / 1e9) }))
}

// perAlert is the median of the CPU's time, in µs.
func (s *series) perAlert() float64 {
	return median(s.sorted(func(r result) float64 { return float64(r.cpu.Nanoseconds()) / 1e3 / float64(s.contender.alerts.lines) }))
}

// peak is the largest resident size of all turns, in MiB.
func (s *series) peak() float64 {
	return slices.Max(s.sorted(func(r result) float64 { return float64(r.peak) / (1 << 20) }))
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

func (s *series) sorted(of func(result) float64) []float64 {
	var all []float64
	for _, r := range s.results {
		all = append(all, of(r))
	}
	slices.Sort(all)
	return all
}

// median is that of sorted numbers, the lower one of two.
func median(sorted []float64) float64 { return sorted[(len(sorted)-1)/2] }

// percentile is that of sorted numbers.
func percentile(sorted []float64, p float64) float64 {
	return sorted[min(len(sorted)-1, int(float64(len(sorted))*p/100))]
}
