package component

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
)

// Connection is a connection block at run time. It is the runtime's: a
// component calls Share.
type Connection interface {
	// Join gives what the components of the connection share under key, opened
	// by the first of them, and what says that this one needs it no more.
	Join(ctx context.Context, key any, open func(context.Context, *Host) (io.Closer, error)) (shared io.Closer, leave func(), err error)
}

// Share gives a component what all that name the same connection block have in
// common: one client, one token, one rate. The first of them opens it, the
// others get the same value, which must be safe for concurrent use. It stays open as long as the
// pipeline has that connection with the same settings, whatever
// becomes of the components; then it is closed, when the last of them has let go of it.
//
// open must use nothing of the component's but what its Spec names in
// Connection, and the Host that it gets, which is the connection's own: its log, its health. It is
// called with the ctx of the first component; if it fails nothing is kept, and
// the next component tries again.
//
// A component without a connection block opens its own, with its own Host, and
// release closes it. Call release once, after the last use; it never
// waits for the others.
func Share[T io.Closer](ctx context.Context, h *Host, open func(context.Context, *Host) (T, error)) (shared T, release func() error, err error) {
	if h.Connection == nil {
		if shared, err = open(ctx, h); err != nil {
			return shared, nil, err
		}
		return shared, shared.Close, nil
	}
	v, leave, err := h.Connection.Join(ctx, reflect.TypeFor[T](), func(ctx context.Context, h *Host) (io.Closer, error) { return open(ctx, h) })
	if err != nil {
		return shared, nil, err
	}
	shared, ok := v.(T)
	if !ok {
		leave()
		return shared, nil, fmt.Errorf("the connection shares a %T", v)
	}
	return shared, func() error { leave(); return nil }, nil
}

// OfConnection is err, the trouble of what Share gave. The operator learns it
// once, by the Health of the connection's Host, and not again from each
// component that waits for it.
func OfConnection(err error) error { return &ofConnection{err} }

// IsOfConnection says whether err is, or wraps, one of OfConnection.
func IsOfConnection(err error) bool {
	_, ok := errors.AsType[*ofConnection](err)
	return ok
}

type ofConnection struct{ error }

func (o *ofConnection) Unwrap() error { return o.error }
