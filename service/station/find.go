package station

import (
	"context"
	"errors"
	"time"

	"wpsd/drivers"
	"wpsd/engine/registration"
	"wpsd/service/ending"
	"wpsd/service/search"
	"wpsd/service/state"
)

// find looks until there is somebody to try; package search says where to look and when that is.
func (e *Enrolment) find(ctx context.Context) (search.Candidate, error) {
	for {
		step := e.search.Next(time.Now())
		switch {
		case step.Err != nil:
			return search.Candidate{}, step.Err
		case step.Try != nil:
			e.checked()
			return *step.Try, nil
		case e.impatient(step):
			return search.Candidate{}, errNobodyNow
		case step.Wait > 0:
			if err := pause(ctx, step.Wait); err != nil {
				return search.Candidate{}, err
			}
		default:
			e.checks(step.Look.Check)
			if err := e.look(ctx, step.Look); err != nil {
				return search.Candidate{}, err
			}
		}
	}
}

// look does one scan, and tells the search what came of it.
func (e *Enrolment) look(ctx context.Context, look search.Look) error {
	began := time.Now()
	found, err := e.scan.look(ctx, look)
	switch {
	case errors.Is(err, errScanAgain), err != nil && look.Passive && ctx.Err() == nil && !isGone(err):
		e.search.Aborted(time.Now(), look)
		e.search.SetChannels(e.scan.channels)
	case err != nil:
		return err
	case e.search.Looked(began, time.Now(), look, found):
		e.iface.Air.ScanDone(true)
		if err := e.scan.readChannels(ctx); err != nil {
			return err
		}
		e.search.SetChannels(e.scan.channels)
	}
	return nil
}

// attemptOf is what a failed attempt was, in the words of the search.
func attemptOf(err error) search.Outcome {
	run, isRun := errors.AsType[*registration.Error](err)
	switch {
	case errors.Is(err, drivers.ErrAssociation):
		return search.Refused
	case errors.Is(err, ending.ErrUnanswered), errors.Is(err, ending.ErrSilent):
		return search.Silent
	case errors.Is(err, drivers.ErrLinkLost), errors.Is(err, registration.ErrTimeout),
		errors.Is(err, ending.ErrAttemptTime):
		return search.Broken
	case errors.Is(err, ending.ErrRejected):
		return search.Dismissed
	case isRun && errors.Is(err, registration.ErrPassword) && run.Half == 2:
		return search.WrongSecond
	case isRun && errors.Is(err, registration.ErrPassword):
		return search.WrongFirst
	}
	return search.Declined
}

// checks tells whether the look that begins now makes sure that no second button is pressed.
func (e *Enrolment) checks(is bool) {
	if e.session.Checking != is {
		e.change(func(s *state.Session) { s.Checking = is })
	}
}

// checked notes that there is somebody to try, which the next change tells.
func (e *Enrolment) checked() { e.session.Note(func(s *state.Session) { s.Checking = false }) }

// errNobodyNow means that there is nobody to try now, and that somebody wants the interface
// meanwhile.
var errNobodyNow = errors.New("station: nobody is to be tried now")

// impatient reports whether the interface is to be given back, since there is nobody to try for so
// long.
func (e *Enrolment) impatient(step search.Step) bool {
	return !e.giveBackAt.IsZero() && step.Try == nil &&
		time.Now().Add(step.Wait).After(e.giveBackAt)
}
