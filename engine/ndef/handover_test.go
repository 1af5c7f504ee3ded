package ndef

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

func request() *HandoverRequest {
	return &HandoverRequest{PublicKeyHash: [20]byte{0: 0xaa, 19: 0xbb},
		UUIDE: wsc.UUID{0: 1, 15: 2}, Version2: wsc.Version20}
}

func selection() *HandoverSelect {
	return &HandoverSelect{PublicKeyHash: [20]byte{0: 0xcc, 19: 0xdd}, SSID: []byte("home"),
		RFBands: wsc.Band5GHz, APChannel: 36,
		BSSID: wsc.MAC{2, 0, 0, 0, 3, 0}, Version2: wsc.Version20}
}

// The carriers of request and selection: length, attributes in hostap's order.
const (
	requestTLVs   = "102c0016 aa000000000000000000000000000000000000bb 0007 10470010 01000000000000000000000000000002 1049000600372a000120"
	selectionTLVs = "102c0016 cc000000000000000000000000000000000000dd 0007 10450004 686f6d65 103c000102 100100020024" +
		"10200006020000000300 1049000600372a000120"
	requestLen, selectionLen = 0x38, 0x41
)

func TestHandover(t *testing.T) {
	t.Parallel()
	bareRequest := unhex(t, fmt.Sprintf("%04x", requestLen)+requestTLVs)
	bareSelection := unhex(t, fmt.Sprintf("%04x", selectionLen)+selectionTLVs)
	inner := "91 02 02 6372 1234 51 02 04 6163 01013000"
	for _, c := range []struct {
		name      string
		got, want []byte
	}{
		{"a request's carrier", request().Append(nil), bareRequest},
		{"a request's carrier record", request().AppendCarrier(nil),
			unhex(t, fmt.Sprintf("d217%02x%s%x", requestLen+2, wscType, bareRequest))},
		{"a request", request().AppendMessage(nil, 0x1234),
			unhex(t, "91 02 11 4872 12"+inner+
				fmt.Sprintf("5a 17 %02x 01 %s 30 %x", requestLen+2, wscType, bareRequest))},
		{"a select's carrier", selection().Append(nil), bareSelection},
		{"a select's carrier record", selection().AppendCarrier(nil),
			unhex(t, fmt.Sprintf("d217%02x%s%x", selectionLen+2, wscType, bareSelection))},
		{"a select", selection().AppendMessage(nil),
			unhex(t, "91 02 0a 4873 12 d1 02 04 6163 01013000"+
				fmt.Sprintf("5a 17 %02x 01 %s 30 %x", selectionLen+2, wscType, bareSelection))},
		{"an empty select", appendEmptySelect(nil), unhex(t, "d10201487312")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if !bytes.Equal(c.got, c.want) {
				t.Errorf("got  %x\nwant %x", c.got, c.want)
			}
		})
	}
	for name, in := range map[string][]byte{"carrier": bareRequest,
		"carrier record": request().AppendCarrier(nil),
		"message":        request().AppendMessage(nil, 7)} {
		if got, err := ParseHandoverRequest(in); err != nil || !reflect.DeepEqual(got, request()) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for name, in := range map[string][]byte{"carrier": bareSelection,
		"carrier record": selection().AppendCarrier(nil),
		"message":        selection().AppendMessage(nil)} {
		if got, err := ParseHandoverSelect(in); err != nil || !reflect.DeepEqual(got, selection()) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestASelectSaysNoMoreThanItKnows(t *testing.T) {
	t.Parallel()
	s := &HandoverSelect{SSID: []byte("x")}
	want := unhex(t, "001f"+oob(7, 0)+"1045000178")
	if got := s.Append(nil); !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
	if got, err := ParseHandoverSelect(want); err != nil || !reflect.DeepEqual(got, s) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// carrier puts the length before attributes.
func carrier(t *testing.T, tlvs string) []byte {
	b := unhex(t, tlvs)
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
}

func TestCarriers(t *testing.T) {
	t.Parallel()
	uuid := "10470010 01000000000000000000000000000002"
	ssid := "10450004 686f6d65"
	good := oob(7, 0) + uuid + ssid // is a request as well as a select
	for _, c := range []struct {
		name           string
		in             []byte
		request, selec error
	}{
		{"what each needs", carrier(t, good), nil, nil},
		{"without OOB Device Password", carrier(t, uuid+ssid), wsc.ErrMissing, wsc.ErrMissing},
		{"without UUID-E", carrier(t, oob(7, 0)+ssid), wsc.ErrMissing, nil},
		{"without SSID", carrier(t, oob(7, 0)+uuid), nil, wsc.ErrMissing},
		{"an empty SSID is none", carrier(t, oob(7, 0)+uuid+"10450000"), nil, wsc.ErrMissing},
		{"an SSID of 33 bytes is none",
			carrier(t, oob(7, 0)+uuid+"10450021"+fmt.Sprintf("%066x", 1)), nil, wsc.ErrMissing},
		{"an SSID of 32 bytes",
			carrier(t, oob(7, 0)+uuid+"10450020"+fmt.Sprintf("%064x", 1)), nil, nil},
		{"the id of a token", carrier(t, oob(0x10, 32)+uuid+ssid), wsc.ErrValue, wsc.ErrValue},
		{"the id of a PIN", carrier(t, oob(0, 0)+uuid+ssid), wsc.ErrValue, wsc.ErrValue},
		{"a password beside the hash has no meaning", carrier(t, oob(7, 16)+uuid+ssid), nil, nil},
		{"a password of a length that none has", carrier(t, oob(7, 1)+uuid+ssid), wsc.ErrLength,
			wsc.ErrLength},
		{"a hash too short", carrier(t, "102c0015"+fmt.Sprintf("%042x", 7)+uuid+ssid),
			wsc.ErrLength, wsc.ErrLength},
		{"a UUID-E too short", carrier(t, good+"1047000100"), wsc.ErrLength, wsc.ErrLength},
		{"a UUID-E too long", carrier(t, good+"10470011"+fmt.Sprintf("%034x", 1)), wsc.ErrLength,
			wsc.ErrLength},
		{"two SSIDs, of which the last counts", carrier(t, good+"1045000178"), nil, nil},
		{"a truncated attribute", carrier(t, good+"1001"), wsc.ErrTruncated, wsc.ErrTruncated},
		{"a length above what there is", append([]byte{0, byte(len(good))}, unhex(t, good)...),
			ErrTruncated, ErrTruncated},
		{"a length below what there is: the rest is ignored",
			append(carrier(t, good), 1, 2, 3), nil, nil},
		{"a length of 0", append([]byte{0, 0}, unhex(t, good)...), wsc.ErrMissing, wsc.ErrMissing},
		{"a single byte", []byte{0}, ErrTruncated, ErrTruncated},
		{"nothing", nil, ErrTruncated, ErrTruncated},
		{"more than a record can hold", make([]byte, MaxPayload+1), ErrTooLong, ErrTooLong},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			forms := map[string][]byte{"bare": c.in}
			if len(c.in) <= MaxPayload && len(c.in) > 0 {
				forms["record"] = appendWSC(nil, bytes.Clone(c.in))
				cut := appendWSC(nil, bytes.Clone(c.in)) // as it stood in the middle of a message
				cut[0] &^= flagBegin | flagEnd
				forms["record of a message"] = cut
			}
			for form, in := range forms {
				if got, err := ParseHandoverRequest(in); !errors.Is(err, c.request) ||
					(err != nil) != (got == nil) {
					t.Errorf("%s as a request: %+v, %v; want %v", form, got, err, c.request)
				}
				if got, err := ParseHandoverSelect(in); !errors.Is(err, c.selec) ||
					(err != nil) != (got == nil) {
					t.Errorf("%s as a select: %+v, %v; want %v", form, got, err, c.selec)
				}
			}
		})
	}
}

// handover makes a handover message from the first record's type and payload and the records after
// it.
func handover(t *testing.T, name, payload string, rest ...Record) []byte {
	return AppendMessage(nil, append([]Record{*wellKnown(name, unhex(t, payload))}, rest...)...)
}

func TestHandoverMessages(t *testing.T) {
	t.Parallel()
	wscRecord := func(id string) Record {
		return Record{TNF: TNFMedia, Type: []byte(mimeWSC), ID: []byte(id),
			Payload: secret.New(request().Append(nil))}
	}
	other := func(id string) Record {
		return Record{TNF: TNFMedia, Type: []byte("application/vnd.bluetooth.ep.oob"),
			ID: []byte(id)}
	}
	const cr, ac0, ac1 = "11 02 02 6372 0000", "02 04 6163 01013000", "02 04 6163 01013100"
	one := "12 91 02 02 6372 0000 51" + ac0 // cr and a reference to "0"
	for _, c := range []struct {
		name string
		in   []byte
		err  error
	}{
		{"a request with our carrier", handover(t, "Hr", one, wscRecord("0")), nil},
		{"a carrier of another kind first", handover(t, "Hr",
			"12 91 02 02 6372 0000 11"+ac0+"51"+ac1, other("0"), wscRecord("1")), nil},
		{"a record that is no carrier between",
			handover(t, "Hr", "12 91 02 02 6372 0000 11 01 00 55 51"+ac0, other("x"),
				wscRecord("0")), nil},
		{"another minor version", handover(t, "Hr", "1f"+one[2:], wscRecord("0")), nil},
		{"version 1.1 without collision record",
			handover(t, "Hr", "11 d1"+ac0, wscRecord("0")), nil},
		{"auxiliary data is skipped", handover(t, "Hr",
			"12 91 02 02 6372 0000 51 02 07 6163 010130 02 0178 00", wscRecord("0")), nil},
		{"an inactive carrier",
			handover(t, "Hr", "12 91 02 02 6372 0000 51 02 04 6163 00013000", wscRecord("0")), nil},

		{"a select where a request belongs", selection().AppendMessage(nil), ErrHandover},
		{"another well-known record first", handover(t, "Sp", one, wscRecord("0")), ErrHandover},
		{"another major version", handover(t, "Hr", "22"+one[2:], wscRecord("0")), ErrHandover},
		{"no version", handover(t, "Hr", "", wscRecord("0")), ErrHandover},
		{"a request without anything", handover(t, "Hr", "12", wscRecord("0")), ErrHandover},
		{"a request without collision record", handover(t, "Hr", "12 d1"+ac0, wscRecord("0")),
			ErrHandover},
		{"two collision records",
			handover(t, "Hr", "12 91 02 02 6372 0000"+cr+"51"+ac0, wscRecord("0")), ErrHandover},
		{"a short collision record",
			handover(t, "Hr", "12 91 02 01 6372 00 51"+ac0, wscRecord("0")), ErrHandover},
		{"an inner message in chunks",
			handover(t, "Hr", "12 b1 02 02 6372 0000 51"+ac0, wscRecord("0")), ErrChunked},
		{"an inner message that does not end",
			handover(t, "Hr", "12 91 02 02 6372 0000 11"+ac0, wscRecord("0")), ErrFlags},
		{"an inner length that wraps", handover(t, "Hr", "12 c1 02 fffffffe 6163", wscRecord("0")),
			ErrTooLong},
		{"no reference", handover(t, "Hr", "12 d1 02 02 6372 0000", wscRecord("0")), ErrNoRecord},
		{"a reference to nothing",
			handover(t, "Hr", "12 91 02 02 6372 0000 51"+ac1, wscRecord("0")), ErrNoRecord},
		{"a reference to a carrier of another kind only",
			handover(t, "Hr", one, other("0"), wscRecord("1")), ErrNoRecord},
		{"a message of one record has no carrier", handover(t, "Hr", one), ErrNoRecord},
		{"an empty alternative",
			handover(t, "Hr", "12 91 02 02 6372 0000 51 02 00 6163", wscRecord("0")), ErrHandover},
		{"an alternative without reference", handover(t, "Hr",
			"12 91 02 02 6372 0000 51 02 01 6163 01", wscRecord("0")), ErrHandover},
		{"an alternative with an empty reference",
			handover(t, "Hr", "12 91 02 02 6372 0000 51 02 03 6163 010000", wscRecord("")),
			ErrHandover},
		{"a reference beyond its record", handover(t, "Hr",
			"12 91 02 02 6372 0000 51 02 03 6163 01ff30", wscRecord("0")), ErrHandover},
		{"an alternative without a number of auxiliary references",
			handover(t, "Hr", "12 91 02 02 6372 0000 51 02 03 6163 010130", wscRecord("0")),
			ErrHandover},
		{"fewer auxiliary references than said",
			handover(t, "Hr", "12 91 02 02 6372 0000 51 02 05 6163 010130 ff00", wscRecord("0")),
			ErrHandover},
		{"a byte after the auxiliary references",
			handover(t, "Hr", "12 91 02 02 6372 0000 51 02 05 6163 010130 0000", wscRecord("0")),
			ErrHandover},
		{"two lone carrier records out of place", bytes.Repeat(unlone(t), 2), ErrFlags},
		{"a request within a request is not looked into",
			handover(t, "Hr", "12"+fmt.Sprintf("%x", request().AppendMessage(nil, 0))),
			ErrHandover},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseHandoverRequest(c.in)
			if !errors.Is(err, c.err) || (err != nil) != (got == nil) {
				t.Fatalf("got %+v, %v; want %v", got, err, c.err)
			}
			if err == nil && !reflect.DeepEqual(got, request()) {
				t.Errorf("got %+v", got)
			}
		})
	}
	if got, err := ParseHandoverSelect(appendEmptySelect(nil)); !errors.Is(err, ErrNoRecord) {
		t.Errorf("an empty select: %+v, %v", got, err)
	}
	if got, err := ParseHandoverSelect(request().AppendMessage(nil, 0)); !errors.Is(err,
		ErrHandover) {
		t.Errorf("a request where a select belongs: %+v, %v", got, err)
	}
}

// unlone is a carrier record that neither begins nor ends a message.
func unlone(t *testing.T) []byte {
	b := request().AppendCarrier(nil)
	b[0] &^= flagBegin | flagEnd
	if _, err := ParseHandoverRequest(b); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAHandoverCutAnywhereIsRefused(t *testing.T) {
	t.Parallel()
	for _, whole := range [][]byte{request().Append(nil), request().AppendCarrier(nil),
		request().AppendMessage(nil, 1)} {
		for i := range whole {
			if got, err := ParseHandoverRequest(whole[:i]); err == nil {
				t.Errorf("cut after %d bytes: %+v", i, got)
			}
		}
	}
	for _, whole := range [][]byte{selection().Append(nil), selection().AppendCarrier(nil),
		selection().AppendMessage(nil)} {
		for i := range whole {
			if got, err := ParseHandoverSelect(whole[:i]); err == nil {
				t.Errorf("cut after %d bytes: %+v", i, got)
			}
		}
	}
}

func TestAHandoverMessageIsNoTag(t *testing.T) {
	t.Parallel()
	for name, in := range map[string][]byte{"request": request().AppendMessage(nil, 0),
		"select": selection().AppendMessage(nil)} {
		if tag, err := Parse(in); !errors.Is(err, ErrHandoverMessage) {
			t.Errorf("%s: %+v, %v", name, tag, err)
		}
	}
}

// appendEmptySelect appends the answer to a request that offers nothing that we could take.
func appendEmptySelect(b []byte) []byte {
	return AppendMessage(b, *wellKnown(typeSelect, []byte{handoverVersion}))
}
