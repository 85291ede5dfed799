package agents

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/wazuh-etl/etl/runtime/component"
	"github.com/wazuh-etl/etl/runtime/world"
)

// The size of a page decides how long the database is locked for the writer: it
// tries a commit a thousand times at once, without a pause, before it gives up.
const (
	pageRows    = 500
	detailRows  = 100
	pagePause   = time.Millisecond       // between two pages, for the writer
	lockedPause = 2 * time.Millisecond   // until a locked page is tried again
	lockedFor   = 500 * time.Millisecond // until a locked read is given up, to begin anew later

	// What SQLite keeps of the file is of no use behind the next commit, so it keeps little.
	cacheKiB = 256
)

// database reads queue/db/global.db. wazuh-db writes it with a rollback journal:
// a statement of ours holds off its commits as long as it runs, and its commits
// lock us out. So statements are short, and none is left open between two pages.
// The file is opened to be read only, and never as immutable: it does change.
type database struct {
	files world.FS
	name  string

	conn     *sqlite3.Conn
	inode    [2]uint64 // of the file that conn has
	last     [2]uint64 // of the file that was read last
	rows     *sqlite3.Stmt
	details  *sqlite3.Stmt
	version  *sqlite3.Stmt
	seen     int64 // data_version when the last read began
	complete bool  // that read came to its end
}

func newDatabase(host *component.Host, name string) *database {
	return &database{files: host.FS, name: name}
}

// Changed looks at the counter that a commit moves. A commit that wakes us has
// removed its journal, and holds its lock for a moment yet.
func (d *database) Changed(ctx context.Context) (bool, error) {
	if err := d.open(); err != nil {
		return true, err
	}
	if !d.complete {
		return true, nil
	}
	version := int64(0)
	err := d.patiently(ctx, func() (err error) { version, err = d.dataVersion(); return err })
	return version != d.seen, err
}

func (d *database) dataVersion() (int64, error) {
	version := int64(0)
	if d.version.Step() {
		version = d.version.ColumnInt64(0)
	}
	return version, d.failed(d.version.Reset())
}

// Readings reads the columns of the status, a page at a time.
func (d *database) Readings(ctx context.Context, dst []reading) ([]reading, bool, error) {
	d.complete = false
	if err := d.open(); err != nil {
		return dst, false, err
	}
	if err := d.patiently(ctx, func() (err error) { d.seen, err = d.dataVersion(); return err }); err != nil {
		return dst, false, err
	}
	for last := int64(0); ; {
		n := len(dst)
		if err := d.patiently(ctx, func() (err error) { dst, err = d.page(dst[:n], last); return err }); err != nil {
			return dst, false, err
		}
		if len(dst)-n < pageRows {
			break
		}
		last = dst[len(dst)-1].ID
		if err := sleep(ctx, pagePause); err != nil {
			return dst, false, err
		}
	}
	replaced := d.last != [2]uint64{} && d.last != d.inode
	d.last, d.complete = d.inode, true
	return dst, replaced, nil
}

// page appends the agents behind the id last.
func (d *database) page(dst []reading, last int64) ([]reading, error) {
	if err := d.rows.BindInt64(1, last); err != nil {
		return dst, d.failed(err)
	}
	for d.rows.Step() {
		dst = append(dst, reading{
			ID: d.rows.ColumnInt64(0), Added: d.rows.ColumnInt64(1), Status: parseStatus(d.rows.ColumnRawText(2)),
			Code: int32(d.rows.ColumnInt64(3)), Disconnected: d.rows.ColumnInt64(4), Keepalive: d.rows.ColumnInt64(5), //nolint:gosec // 0 to 5
		})
	}
	return dst, d.failed(d.rows.Reset())
}

// Details reads the rest of some rows.
func (d *database) Details(ctx context.Context, ids []int64) (map[int64]details, error) {
	found := make(map[int64]details, len(ids))
	for chunk := range slices.Chunk(ids, detailRows) {
		if err := d.open(); err != nil {
			return nil, err
		}
		list, err := json.Marshal(chunk)
		if err != nil {
			return nil, err
		}
		if err := d.patiently(ctx, func() error { return d.some(found, list) }); err != nil {
			return nil, err
		}
		if err := sleep(ctx, pagePause); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (d *database) some(found map[int64]details, ids []byte) error {
	if err := d.details.BindRawText(1, ids); err != nil {
		return d.failed(err)
	}
	for s := d.details; s.Step(); {
		found[s.ColumnInt64(0)] = details{Name: s.ColumnText(1), IP: s.ColumnText(2), Shared: share(profile{
			Version: s.ColumnText(3), Node: s.ColumnText(4), Groups: s.ColumnText(5),
			OS: system{Name: s.ColumnText(6), Version: s.ColumnText(7), Platform: s.ColumnText(8), Arch: s.ColumnText(9)},
		})}
	}
	return d.failed(d.details.Reset())
}

// patiently does what may find the database locked until it does not, for a while.
func (d *database) patiently(ctx context.Context, do func() error) error {
	for began := time.Now(); ; {
		err := do()
		if !errors.Is(err, errLocked) || time.Since(began) > lockedFor {
			return err
		}
		if err := sleep(ctx, lockedPause); err != nil {
			return err
		}
	}
}

// open makes sure that conn is of the file that has the name now.
func (d *database) open() error {
	info, err := d.files.Stat(d.name)
	if err != nil {
		d.Close()
		return Unreadable("database", d.name, err)
	}
	switch {
	case !info.Mode().IsRegular(): // to open a named pipe waits for a writer, and can't be broken off
		d.Close()
		return fmt.Errorf("%s is no manager's database: it is no regular file", d.name)
	case info.Size() == 0:
		d.Close()
		return fmt.Errorf("%s is no manager's database: it has 0 bytes", d.name)
	}
	for _, beside := range []string{d.name + "-journal", d.name + "-wal"} { // SQLite opens them too
		if info, err := d.files.Stat(beside); err == nil && !info.Mode().IsRegular() {
			d.Close()
			return fmt.Errorf("%s belongs to a manager's database, and is no regular file", beside)
		}
	}
	var inode [2]uint64
	inode[0], inode[1] = d.files.Identity(info)
	if d.conn != nil && inode == d.inode {
		return nil
	}
	d.Close()
	if d.conn, err = sqlite3.OpenFlags(d.name, sqlite3.OPEN_READONLY); err != nil {
		return d.failed(err)
	}
	d.inode = inode // if it was replaced meanwhile, the next call opens it again
	if err := d.conn.Exec(fmt.Sprintf("PRAGMA cache_size = -%d", cacheKiB)); err != nil {
		return d.failed(err)
	}
	return d.prepare()
}

// prepare makes the statements, of the columns that this version of Wazuh has.
func (d *database) prepare() error {
	columns, err := d.columns()
	if err != nil {
		return d.failed(err)
	}
	if len(columns) == 0 {
		d.Close()
		return fmt.Errorf("%s is no manager's database: it has no table agent", d.name)
	}
	for _, p := range []struct {
		statement **sqlite3.Stmt
		sql       string
	}{
		{&d.version, "PRAGMA data_version"},
		{&d.rows, fmt.Sprintf("SELECT %s FROM agent WHERE id > ?1 ORDER BY id LIMIT %d", selection(columns, readingColumns), pageRows)},
		{&d.details, fmt.Sprintf("SELECT %s FROM agent WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id", selection(columns, detailColumns))},
	} {
		if *p.statement, _, err = d.conn.Prepare(p.sql); err != nil {
			return d.failed(err)
		}
	}
	return nil
}

func (d *database) columns() (map[string]bool, error) {
	s, _, err := d.conn.Prepare("PRAGMA table_info(agent)")
	if err != nil {
		return nil, err
	}
	columns := map[string]bool{}
	for s.Step() {
		columns[s.ColumnText(1)] = true
	}
	return columns, s.Close()
}

// failed is err in words. A connection that has met anything but a lock is not used again.
func (d *database) failed(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sqlite3.READONLY_ROLLBACK), errors.Is(err, sqlite3.READONLY_RECOVERY), errors.Is(err, sqlite3.READONLY_CANTINIT):
		d.Close()
		return errHot
	case errors.Is(err, sqlite3.BUSY), errors.Is(err, sqlite3.LOCKED):
		if d.rows == nil || d.details == nil || d.version == nil { // it was met while preparing
			d.Close()
		}
		return errLocked
	case errors.Is(err, sqlite3.CANTOPEN):
		d.Close()
		return d.refused(err)
	case errors.Is(err, sqlite3.NOTADB):
		d.Close()
		return fmt.Errorf("%s is no manager's database: it is not a database of SQLite", d.name)
	default:
		d.Close()
		return fmt.Errorf("reading the database: %w", err)
	}
}

// refused asks the system why SQLite can't open the file: it says no more than err.
func (d *database) refused(err error) error {
	file, why := d.files.Open(d.name)
	if why != nil {
		return Unreadable("database", d.name, why)
	}
	_ = file.Close() // nothing was written
	return fmt.Errorf("reading the database: %w", err)
}

// Close lets go of the file.
func (d *database) Close() {
	if d.conn == nil {
		return
	}
	for _, s := range []**sqlite3.Stmt{&d.rows, &d.details, &d.version} {
		_ = (*s).Close() // says again what the last step has said
		*s = nil
	}
	_ = d.conn.Close() // nothing was written
	d.conn, d.complete = nil, false
}

// Watch wakes when a commit has ended, which removes the journal, and when another
// file gets the database's name. Other databases in the directory do not.
func (d *database) Watch(host *component.Host) (<-chan struct{}, func(), error) {
	directory, journal := filepath.Dir(d.name), d.name+"-journal"
	changes, stop, err := host.Notifier.Watch(directory)
	if err != nil {
		return nil, nil, err
	}
	wake := make(chan struct{}, 1)
	go func() {
		defer close(wake)
		for name := range changes {
			if name != journal && name != d.name && name != directory {
				continue
			}
			if _, err := host.FS.Stat(journal); err == nil {
				continue // the transaction goes on
			}
			select {
			case wake <- struct{}{}:
			default:
			}
		}
	}()
	return wake, stop, nil
}

// Columns, or what stands for them where there are none, in the order that they
// are read in. internal_key is the agents' secret: it is in no list.
var (
	readingColumns = [][]string{{"id"}, {"date_add"}, {"connection_status"}, {"status_code"}, {"disconnection_time"}, {"last_keepalive"}}
	detailColumns  = [][]string{{"id"}, {"name"}, {"ip", "register_ip"}, {"version"}, {"node_name"}, {"group"}, {"os_name"}, {"os_version"}, {"os_platform"}, {"os_arch"}}
)

// selection selects those of the wanted columns that there are: of several the first that is not null.
func selection(columns map[string]bool, wanted [][]string) string {
	var list []string
	for _, names := range wanted {
		have := make([]string, 0, 3)
		for _, name := range names {
			if columns[name] {
				have = append(have, `"`+name+`"`)
			}
		}
		expression := "NULL"
		switch len(have) {
		case 0:
		case 1:
			expression = have[0]
		default:
			expression = "coalesce(" + strings.Join(have, ", ") + ")"
		}
		list = append(list, expression+` AS "`+names[0]+`"`)
	}
	return strings.Join(list, ", ")
}
