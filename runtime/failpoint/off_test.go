//go:build !failpoints

package failpoint

import (
	"testing"
	"unsafe"
)

var point = New("test")

// In a normal build there is nothing: no memory, no allocation, and a call that the compiler removes.
func TestNothingIsLeft(t *testing.T) {
	if size := unsafe.Sizeof(point); size != 0 {
		t.Errorf("a point has %d bytes", size)
	}
	if n := testing.AllocsPerRun(100, func() {
		point.Pass()
		if err := point.Fail(); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkPass(b *testing.B) {
	for b.Loop() {
		point.Pass()
		if err := point.Fail(); err != nil {
			b.Fatal(err)
		}
	}
}
