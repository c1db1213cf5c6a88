package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lock lets only one run at a time build, start or stop clusters in a cache folder. Two builds would write the same files, and
// two starts could pick the same free port. The kernel drops the lock when the process that holds it ends.
func (c *cluster) lock(ctx context.Context) (func(), error) {
	if err := os.MkdirAll(c.cache, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(c.cache, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	unlock := func() { _ = f.Close() }
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for told := false; ; {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return unlock, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			unlock()
			return nil, err
		}
		if !told {
			c.logf("waiting for another run that builds, starts or stops a cluster")
			told = true
		}
		select {
		case <-ctx.Done():
			unlock()
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}
