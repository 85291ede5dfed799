package file

import "testing"

// The inode of an empty generation that is gone is an archive's now: the archive is what it holds.
func TestAnArchiveHasTheInodeOfAnEmptyFile(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.append(alerts, lines(0, 10))
		r.must(r.once())
		through := r.out.last
		r.must(r.files.Rename(alerts, alerts+".2"))
		r.append(alerts, "")
		r.must(r.files.Rename(alerts, alerts+".1"))
		r.append(alerts, lines(10, 20))
		r.again(through)
		wantNumbers(t, r.out.lines, 10, 20)

		r.append(alerts+".1", string(zipped([]byte(lines(0, 10)))))
		r.must(r.files.Rename(alerts+".1", alerts+".2.gz"))
		r.must(r.files.Remove(alerts + ".2"))
		r.append(alerts, lines(20, 30))
		r.again(through) // what came behind it did not arrive
		wantNumbers(t, r.out.lines, 10, 30)
		r.wantGaps(0)
	})
}

// It is a copy's now: that is of the file which was copied and truncated.
func TestACopyHasTheInodeOfAnEmptyFile(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.files.ReuseInodes()
		r.append(alerts+".1", "")
		r.append(alerts, lines(0, 10))
		r.must(r.once())
		behind := r.out.positions[4]
		r.must(r.files.Remove(alerts + ".1"))
		r.append(alerts+".1", lines(0, 10))
		r.truncate(alerts)
		r.append(alerts, lines(10, 20))
		r.again(behind)
		wantNumbers(t, r.out.lines, 5, 20)
		r.wantGaps(0)
	})
}

// It is a newer file's now: that comes behind those that were there before it.
func TestANewerFileHasTheInodeOfAnEmptyFile(t *testing.T) {
	onRig(t, func(t *testing.T, r *rig) {
		r.files.ReuseInodes()
		r.append(alerts, lines(0, 10))
		r.must(r.once())
		through := r.out.last
		r.must(r.files.Rename(alerts, alerts+".1"))
		r.append(alerts, "")
		r.again(through)
		r.must(r.files.Rename(alerts, alerts+".2"))
		r.append(alerts, lines(10, 20))
		r.again(through)
		through = r.out.last

		r.append(alerts+".2.gz", string(zipped(nil)))
		r.must(r.files.Remove(alerts + ".2"))
		r.must(r.files.Rename(alerts, alerts+".3"))
		r.append(alerts, lines(20, 30))
		r.must(r.files.Rename(alerts, alerts+".4"))
		r.append(alerts, lines(30, 40))
		r.again(through)
		wantNumbers(t, r.out.lines, 20, 40)
		r.wantGaps(0)
	})
}
