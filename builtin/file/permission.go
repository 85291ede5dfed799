package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"github.com/wazuh-etl/etl/runtime/world"
)

// denied is err with what is to be done, if it says that the file at path may not be read.
func denied(files world.FS, path string, err error) error {
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	me := userName(os.Geteuid())
	info, stat := files.Stat(path)
	if stat != nil {
		return fmt.Errorf("%w (etl runs as user %s, which may not search a directory on the way to it: give it that right, as by a group)", err, me)
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		group := groupName(int(s.Gid))
		return fmt.Errorf("%w (etl runs as user %s; the file is of %s:%s, %v: let the group read it and put the user into it, usermod -aG %s %s, which counts from the next start of etl; or chgrp or chmod it, which is seen at once)",
			err, me, userName(int(s.Uid)), group, info.Mode(), group, me)
	}
	return fmt.Errorf("%w (etl runs as user %s: give it the right to read the file)", err, me)
}

// userName is the user's name, else the number.
func userName(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return strconv.Itoa(uid)
}

func groupName(gid int) string {
	if g, err := user.LookupGroupId(strconv.Itoa(gid)); err == nil {
		return g.Name
	}
	return strconv.Itoa(gid)
}
