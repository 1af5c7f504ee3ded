package outcome

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"wpsd/engine/wsc"
)

// full is a Detail of which everything is known.
func full() Detail {
	d := Detail{
		ConfigError: wsc.ConfigErrorDeviceBusy, SSID: []byte("Haus"), Peer: home,
		Wanted: AccessPoint{BSSID: guest, SSID: []byte("Gast")}, Frequency: 6135,
		Instead: AccessPoint{BSSID: neighbors, SSID: []byte("Gast")},
		Overlap: []AccessPoint{{BSSID: home, SSID: []byte("Haus"), UUID: router},
			{BSSID: neighbors}, {BSSID: guest, SSID: []byte{0xff, 0}}},
		FriendlyName: "Box", Address: "192.0.2.1", PasswordHalf: 2, AccessPointsTried: 3,
		LinkReason: 4, LinkStatus: 17, UPnPError: 501, Timeout: 90 * time.Second, Credentials: 2,
		Stored: 1, NotStored: true, StoreFull: true, StoreError: "disk full",
		LeftOut: []LeftOut{{[]byte("alt"), FlawWEP}, {nil, FlawName}}, Session: 7,
		Interface: "wlan0", Manager: "networkmanager", HandedOver: true,
		Connection: "/org/example/Settings/7", ConnectionUUID: router.String(),
		ManagerError: "no such luck", ReceivedWith: neighbors,
	}
	return d
}

// constants are those of a type of this package: their values by their names in the source.
func constants(t *testing.T, file, typeName string) map[string]string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if is, named := spec.Type.(*ast.Ident); named && is.Name == typeName {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			found[spec.Names[0].Name] = value
		}
		return true
	})
	if len(found) == 0 {
		t.Fatalf("%s has no %s", file, typeName)
	}
	return found
}

// TestEveryEndHasItsSentence: each Reason, Case and Flaw that is declared has one, once, and what
// stands in its places is known here.
func TestEveryEndHasItsSentence(t *testing.T) {
	t.Parallel()
	ends := map[string]bool{}
	for name, r := range constants(t, "reason.go", "Reason") {
		ends[r] = true
		if !slices.Contains(Reasons(), Reason(r)) {
			t.Errorf("%s is not among the Reasons", name)
		}
	}
	for name, c := range constants(t, "sentences.go", "Case") {
		if ends[c] {
			t.Errorf("%s: %q stands for two", name, c)
		}
		ends[c] = true
	}
	for end := range ends {
		if sentences[Case(end)] == "" {
			t.Errorf("%q has no sentence", end)
		}
	}
	said := map[string]Case{}
	sentence := regexp.MustCompile(`^(\{wanted\} |wpsd |wpa_supplicant |[A-Z]).*\.$`)
	for c, text := range sentences {
		if !ends[string(c)] {
			t.Errorf("%q is neither a Reason nor a Case", c)
		}
		if other, twice := said[text]; twice && text != wrongPIN {
			t.Errorf("%q and %q have one sentence", c, other)
		}
		said[text] = c
		if !sentence.MatchString(text) {
			t.Errorf("%q: no sentence: %q", c, text)
		}
		for _, place := range regexp.MustCompile(`\{([^}]*)\}`).FindAllStringSubmatch(text, -1) {
			if places[place[1]] == nil {
				t.Errorf("%q: nobody knows what stands in {%s}", c, place[1])
			}
		}
	}
	for place := range places {
		if !slices.ContainsFunc(slices.Collect(maps.Values(sentences)), func(text string) bool {
			return strings.Contains(text, "{"+place+"}")
		}) {
			t.Errorf("{%s} stands nowhere", place)
		}
	}
	for _, f := range constants(t, "places.go", "Flaw") {
		if flaws[Flaw(f)] == "" {
			t.Errorf("the flaw %q has no words", f)
		}
	}
}

// TestErrorsAreSentences: each error of a call has a text that says what to do, or leaves it to what
// wraps it.
func TestErrorsAreSentences(t *testing.T) {
	t.Parallel()
	for _, err := range Calls() {
		name, text := OfCall(fmt.Errorf("%w", err))
		known, is := err.(*callError)
		if name == NameFailed || !strings.HasSuffix(text, ".") || text[0] < 'A' || text[0] > 'z' ||
			(!is || known.text != "") && !strings.Contains(text, ": ") {
			t.Errorf("%v: %s, %q", err, name, text)
		}
	}
	if name, text := OfCall(os.ErrClosed); name != NameFailed || strings.Contains(text, "closed") {
		t.Errorf("an error that nobody expects: %s, %q", name, text)
	}
	if name, text := OfCall(fmt.Errorf("x: %w", BadBSSID.Of(`"a"`))); name != "InvalidArguments" ||
		text != `The bssid "a" is not of the form 02:00:00:00:03:00.` {
		t.Errorf("%s, %s", name, text)
	}
}

// TestSentencesAreMadeOfTheirDetails: who knows the Reason and what Session.Detail has on D-Bus
// makes the same sentence, whatever is known; and who knows nothing makes one, too.
func TestSentencesAreMadeOfTheirDetails(t *testing.T) {
	t.Parallel()
	for c := range sentences {
		for name, d := range map[string]Detail{"all": full(), "nothing": {}} {
			d.Case = c
			want := Sentence(ReasonInternal, d)
			if got := Sentence(ReasonInternal, FromValues(d.Values())); got != want {
				t.Errorf("%s, %s is known: %q, made anew %q", c, name, want, got)
			}
			if strings.ContainsAny(want, "{}\n") || strings.Contains(want, "  ") ||
				strings.Contains(want, "%!") || !utf8.ValidString(want) {
				t.Errorf("%s, %s is known: %q", c, name, want)
			}
		}
	}
}

// TestDetailIsWhole: each field that is set comes back, and each makes a value of its own. What is
// not known makes none.
func TestDetailIsWhole(t *testing.T) {
	t.Parallel()
	if v := (&Detail{}).Values(); len(v) != 0 {
		t.Errorf("nothing makes %v", v)
	}
	d := full()
	d.Case = Received
	d.Granted = false // how far a session is; nothing is said of it
	if got := FromValues(d.Values()); !reflect.DeepEqual(got, d) {
		t.Errorf("\n%+v, want\n%+v", got, d)
	}
	known := reflect.ValueOf(d)
	for i := range known.NumField() {
		field := known.Type().Field(i).Name
		if field == "Granted" {
			continue
		}
		if known.Field(i).IsZero() {
			t.Errorf("the test knows nothing of %s", field)
		}
		one := Detail{}
		reflect.ValueOf(&one).Elem().Field(i).Set(known.Field(i))
		if len(one.Values()) == 0 {
			t.Errorf("%s makes no value", field)
		}
	}
}

// TestValuesOfAnotherVersion: what is odd is left out.
func TestValuesOfAnotherVersion(t *testing.T) {
	t.Parallel()
	d := full()
	names := d.Values()
	for name := range names {
		odd := d.Values()
		odd[name] = struct{}{}
		_ = Sentence(ReasonOverlap, FromValues(odd))
	}
	got := FromValues(map[string]any{"bssids": []string{"x", "02:00:00:00:01:00"},
		"uuids": []string{"y"}, "left-out-reasons": []string{"novel"}, "peer": "z", "more": 1})
	if len(got.Overlap) != 2 || got.Overlap[1].BSSID != home || !got.Peer.IsZero() ||
		got.LeftOut[0].String() != "a network without a name (it cannot be used)" {
		t.Errorf("%+v", got)
	}
	if text := Sentence("nov\x1bel", Detail{Case: "novel, too"}); !strings.Contains(text, "nov") ||
		strings.Contains(text, "\x1b") {
		t.Error(text)
	}
	if text := Sentence(ReasonHidden, Detail{Case: "novel"}); text != Sentence(ReasonHidden,
		Detail{}) {
		t.Error(text)
	}
}
