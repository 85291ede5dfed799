package main

import (
	"slices"
	"testing"
	"time"
)

func TestSeries(t *testing.T) {
	on := &alerts{bytes: 1e9, lines: 1e6}
	fast := &series{contender: &contender{alerts: on}, results: []result{
		{turn: 0, took: 1 * time.Second, cpu: 2 * time.Second},
		{turn: 1, took: 4 * time.Second, cpu: 4 * time.Second},
		{turn: 3, took: 1 * time.Second, cpu: 3 * time.Second},
	}}
	slow := &series{contender: &contender{alerts: on}, results: []result{
		{turn: 0, took: 2 * time.Second, cpu: 4 * time.Second},
		{turn: 1, took: 4 * time.Second, cpu: 2 * time.Second},
		{turn: 2, took: 9 * time.Second, cpu: 9 * time.Second}, // the other one failed
	}}
	for _, c := range []struct {
		what      string
		got, want []float64
	}{
		{"MB/s", fast.all((*series).speed), []float64{250, 1000, 1000}},
		{"s/GB", fast.all((*series).cpu), []float64{2, 3, 4}},
		{"µs/alert", fast.all((*series).perAlert), []float64{2, 3, 4}},
		{"times as fast", fast.against(slow, (*series).speed), []float64{1, 2}},
		{"times as much", fast.against(slow, (*series).cpu), []float64{0.5, 2}},
		{"against nobody", fast.against(nil, (*series).cpu), nil},
		{"nobody", (*series)(nil).against(fast, (*series).cpu), nil},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
	if got := median([]float64{1, 2, 9}); got != 2 {
		t.Errorf("median of three: %v", got)
	}
	if got := median([]float64{1, 2, 4, 9}); got != 3 {
		t.Errorf("median of four: %v", got)
	}
}
