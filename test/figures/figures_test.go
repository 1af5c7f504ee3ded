package figures

import (
	"strings"
	"testing"
)

func TestVerdicts(t *testing.T) {
	kept := Kept{"learn": 1.2, "memory": 6}
	cases := []struct {
		name string
		row  Row
		want string
	}{
		{"within its aim and as before", Row{Name: "learn", Rival: 10, Own: 12, Aim: 1.5}, ""},
		{"a tenth worse is noise", Row{Name: "learn", Rival: 10, Own: 13.1, Aim: 1.5}, ""},
		{"more than a tenth worse than kept", Row{Name: "learn", Rival: 10, Own: 13.4, Aim: 1.5},
			"worse than 1.2"},
		{"the aim is missed", Row{Name: "learn", Rival: 10, Own: 12.5, Aim: 1}, "missed 1"},
		{"both", Row{Name: "learn", Rival: 10, Own: 30, Aim: 1}, "missed 1, worse than 1.2"},
		{"without a rival what was measured counts", Row{Name: "memory", Own: 7, Aim: 6},
			"missed 6, worse than 6"},
		{"without an aim nothing can be missed", Row{Name: "new", Own: 7}, ""},
	}
	for _, c := range cases {
		if got := c.row.Verdict(kept); got != c.want {
			t.Errorf("%s: %q, not %q", c.name, got, c.want)
		}
	}
}

func TestWhatIsKeptIsReadBack(t *testing.T) {
	table := Table{Title: "A run", Rival: "wpa_supplicant"}
	table.Add(Row{Name: "learn, CPU", Unit: "ms", Rival: 2.5, Own: 6.4, Aim: 1.5})
	table.Add(Row{Name: "an access point", Unit: "KiB", Own: 13})
	kept, err := ReadKept(table.Keep())
	if err != nil || len(kept) != 2 || kept["learn, CPU"] != 2.56 || kept["an access point"] != 13 {
		t.Fatalf("%v, %v", kept, err)
	}
	var out strings.Builder
	kept["a row that is gone"] = 1
	if missed, worsened := table.Print(&out, kept); missed != 1 || worsened != 0 {
		t.Errorf("%d missed, %d worse", missed, worsened)
	}
	for _, want := range []string{"missed 1.5", "1 of 1 aims missed, 0 rows",
		"kept, and not measured: a row that is gone"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

func TestWhatCannotBeKept(t *testing.T) {
	for _, text := range []string{"learn 1.2", "1.2", "-1 learn", "NaN learn", "1 learn\n2 learn"} {
		if kept, err := ReadKept(text); err == nil {
			t.Errorf("%q is read as %v", text, kept)
		}
	}
}
