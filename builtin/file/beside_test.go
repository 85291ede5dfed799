package file

import (
	"testing"
	"time"
)

// A file that is being written beside the path, to be put in its place when it is whole, is no generation while
// rotations call theirs otherwise: half of it would be read, and again when it is in its place. One that was put aside
// under such a name before the current file was begun is.
func TestTheNextFileIsMadeBesideThePath(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.append(alerts, lines(0, 10))
		r.must(r.once())
		through := r.out.last
		r.must(r.files.Rename(alerts, alerts+".1"))
		r.append(alerts, lines(10, 20))
		time.Sleep(time.Second)
		next := lines(20, 30)
		r.append(alerts+".next", next[:len(next)/2])
		r.again(through)
		wantNumbers(t, r.out.lines, 10, 20)
		through = r.out.last

		r.append(alerts+".next", next[len(next)/2:])
		r.must(r.files.Rename(alerts, alerts+".1"))
		r.must(r.files.Rename(alerts+".next", alerts))
		r.again(through)
		wantNumbers(t, r.out.lines, 20, 30)
		through = r.out.last

		r.must(r.files.Rename(alerts, alerts+".1"))
		r.append(alerts, lines(30, 40))
		r.must(r.files.Rename(alerts, alerts+".kept"))
		time.Sleep(time.Second)
		r.append(alerts, lines(40, 50))
		r.again(through)
		wantNumbers(t, r.out.lines, 30, 50)
		r.wantGaps(0)
	})
}
