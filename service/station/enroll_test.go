package station

import (
	"errors"
	"testing"

	"wpsd/drivers"
	"wpsd/service/ending"
	"wpsd/service/outcome"
	"wpsd/service/state"
)

// TestLinkError: whatever the kernel says of a link, it is no fault of ours.
func TestLinkError(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"invalid argument", "no such file or directory",
		"numerical result out of range", "no buffer space available"} {
		if f := ending.Of(linkError(errors.New(text), drivers.ErrAssociation),
			state.MethodPBC); f.Reason != outcome.ReasonAssociationFailed {
			t.Errorf("%s: %s", text, f.Reason)
		}
		if f := ending.Of(linkError(errors.New(text), drivers.ErrLinkLost),
			state.MethodPBC); f.Reason != outcome.ReasonLinkLost {
			t.Errorf("%s: %s", text, f.Reason)
		}
	}
	for _, known := range []error{ending.ErrWalkTime, ending.ErrCanceled, drivers.ErrInterfaceGone,
		ending.ErrUnanswered} {
		if got := linkError(known, drivers.ErrLinkLost); got != known {
			t.Errorf("%v became %v", known, got)
		}
	}
}
