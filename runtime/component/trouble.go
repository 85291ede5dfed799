package component

import (
	"errors"
	"time"

	"github.com/wazuh-etl/etl/runtime/event"
)

// What an error of Deliver may say beside its words. An error of none of these
// kinds is the target's trouble, and says nothing about when it ends.

// Fatal is an error of Deliver that waiting does not heal and that ends the
// run: going on would do harm.
func Fatal(err error) error { return &fatal{err} }

// IsFatal says whether err is, or wraps, one of Fatal.
func IsFatal(err error) bool {
	_, ok := errors.AsType[*fatal](err)
	return ok
}

type fatal struct{ error }

func (f *fatal) Unwrap() error { return f.error }

// LongestRetryAfter is the most of RetryAfter that is honoured: what a target
// in trouble says of the future is a guess, and one try in five minutes hurts nobody.
const LongestRetryAfter = 5 * time.Minute

// RetryAfter is err, the target's trouble, with what the target said of when
// to come back (Retry-After of HTTP). The next try is not before that, nor
// before the pause that `retry` asks for. after may be what the target wrote,
// however absurd: more than LongestRetryAfter counts as that, zero and less as nothing said.
func RetryAfter(err error, after time.Duration) error {
	if after <= 0 {
		return err
	}
	return &later{err, min(after, LongestRetryAfter)}
}

// RetryAfterOf is the pause that err asks for; 0 if it asks for none.
func RetryAfterOf(err error) time.Duration {
	if l, ok := errors.AsType[*later](err); ok {
		return l.after
	}
	return 0
}

type later struct {
	error
	after time.Duration
}

func (l *later) Unwrap() error { return l.error }

// Refused says that the target is well and refuses, for good, what Deliver was
// given and has not answered yet, without saying which message is to blame. The
// runtime delivers the halves of it, in order and before anything later, until the one to
// blame stands alone: that one goes to the errors output with f. So a sink need
// not search. f is for one message; of many, only its words are used, never as an answer.
func Refused(f *event.Failure) error { return &refused{Failure: f} }

// TooLarge is Refused because there was too much in one Deliver: the runtime
// also gives less at a time from then on, and slowly more again.
func TooLarge(f *event.Failure) error { return &refused{Failure: f, tooLarge: true} }

// RefusalOf is the failure in an error of Refused or TooLarge; nil for any other.
func RefusalOf(err error) (f *event.Failure, tooLarge bool) {
	if r, ok := errors.AsType[*refused](err); ok {
		return r.Failure, r.tooLarge
	}
	return nil, false
}

type refused struct {
	*event.Failure
	tooLarge bool
}

func (r *refused) Unwrap() error { return r.Failure }
