package peek

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/nats-io/nats-server/v2/server"
)

// find is the stores at dir: the one that dir is or lies in, else all below.
func find(dir string) ([]string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("looking for a store: %w", err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("looking for a store: %s is no directory", dir)
	}
	for up := dir; up != filepath.Dir(up); up = filepath.Dir(up) {
		if isStore(up) {
			return []string{up}, nil
		}
	}
	var stores []string
	err = filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrPermission) && name != dir:
			return fs.SkipDir
		case err != nil:
			return err
		case entry.IsDir() && isStore(name):
			stores = append(stores, name)
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for a store: %w", err)
	}
	if len(stores) == 0 {
		return nil, fmt.Errorf("there is no JetStream store in or below %s", dir)
	}
	return stores, nil
}

// isStore says whether dir is the root of a server's store:
// jetstream/ACCOUNT/streams.
func isStore(dir string) bool {
	if filepath.Base(dir) != server.JetStreamStoreDir {
		return false
	}
	streams, err := filepath.Glob(filepath.Join(dir, "*", "streams"))
	return err == nil && len(streams) > 0
}

// copyStore copies a store to below dir, only one stream of it if it is named.
// A file that goes away meanwhile belongs to a server that runs: it is left out.
func copyStore(store, dir, stream string) error {
	return filepath.WalkDir(store, func(name string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && name != store {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(store, name)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, server.JetStreamStoreDir, rel)
		switch {
		case entry.IsDir() && stream != "" && filepath.Base(filepath.Dir(name)) == "streams" && entry.Name() != stream:
			return fs.SkipDir
		case entry.IsDir():
			return os.MkdirAll(to, 0o700)
		case !entry.Type().IsRegular():
			return nil
		}
		return copyFile(name, to)
	})
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, in)
	return err
}
