package gtk

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// Who lacks a library, or has an old one, is told what to install.
func TestSaysWhatToInstall(t *testing.T) {
	t.Parallel()
	err := library{"libnot-there.so.9", "libnot-there-9"}.load(nil)
	if _, ok := errors.AsType[*Unusable](err); !ok ||
		!strings.Contains(err.Error(), "apt install libnot-there-9") {
		t.Errorf("a library that is not there: %v", err)
	}
	var f func()
	err = glib.load([]function{{"g_not_there_yet", &f}})
	if u, ok := errors.AsType[*Unusable](err); ok && u.Symbol == "" {
		t.Skip("needs GLib:", err)
	}
	if err == nil || !strings.Contains(err.Error(), "too old") {
		t.Errorf("a function that is not there: %v", err)
	}
}

// Each C function is asked for once, and each that is called is asked for: one that was forgotten
// would be nil when it is called, on whatever page that is.
func TestEveryFunctionIsLoaded(t *testing.T) {
	t.Parallel()
	asked := map[any]string{}
	names := map[string]bool{}
	for _, list := range [][]function{texts(), functions(), adwaitaFunctions()} {
		for _, f := range list {
			if other, twice := asked[f.to]; twice || names[f.name] {
				t.Errorf("%s is asked for twice, also as %s", f.name, other)
			}
			asked[f.to], names[f.name] = f.name, true
		}
	}
	all := reflect.ValueOf(&c).Elem()
	for i := range all.NumField() {
		found := false
		for to := range asked {
			found = found || reflect.ValueOf(to).Pointer() == all.Field(i).Addr().Pointer()
		}
		if !found {
			t.Errorf("%s is not asked for", all.Type().Field(i).Name)
		}
	}
}

// Without a catalog, texts are what they are.
func TestEnglishWithoutCatalog(t *testing.T) {
	t.Parallel()
	if T("Join") != "Join" || N("%d router", "%d routers", 1) != "%d router" ||
		N("%d router", "%d routers", 2) != "%d routers" {
		t.Error("texts change without a catalog")
	}
}

func TestStringsForC(t *testing.T) {
	t.Parallel()
	array, keep := cStrings([]string{"a", "bc"})
	pointers, ok := keep.([]*byte)
	if !ok || len(pointers) != 3 || array != &pointers[0] || pointers[2] != nil ||
		*pointers[1] != 'b' {
		t.Error("not a NULL-terminated array")
	}
}
