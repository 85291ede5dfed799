package main

import "testing"

func TestCompare(t *testing.T) {
	expected := map[string]bool{"a": true, "b": true}
	for _, c := range []struct {
		arrived tally
		rounds  int
		want    string
	}{
		{tally{"a": 1, "b": 1}, 1, "2/2"},
		{tally{"a": 1}, 1, "1/2 (1 missing)"},
		{tally{}, 3, "0/6 (6 missing)"},
		{tally{"a": 2, "c": 1}, 1, "3/2 (1 missing, 1 not wanted, 1 twice)"},
		{tally{"a": 3, "b": 2}, 3, "5/6 (1 missing)"},
	} {
		v := c.arrived.compare(expected, c.rounds)
		if v.String() != c.want || v.ok() != (v.String() == "2/2") {
			t.Errorf("%v, %d times: %s, want %s", c.arrived, c.rounds, v, c.want)
		}
	}
}

func TestStatusBytes(t *testing.T) {
	status := []byte("Name:\tetl\nVmHWM:\t   51200 kB\nVmRSS:\t    1024 kB\nThreads:\t9\n")
	for field, want := range map[string]int64{"VmHWM": 50 << 20, "VmRSS": 1 << 20, "Threads": 0, "VmSwap": 0} {
		if got := statusBytes(status, field); got != want {
			t.Errorf("%s: %d, want %d", field, got, want)
		}
	}
}
