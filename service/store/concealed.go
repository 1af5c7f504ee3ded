package store

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"sync"
)

// encoding/json keeps copies of what it writes in buffers for the next time, and reads files into a
// buffer of its own; neither can be overwritten. So it gets fillers in place of the fields of type
// []byte, which are our secrets.

// secretField is such a field: its name in the file, and its content.
type secretField struct {
	name    string
	content []byte
}

// secretFields are those of a struct that is a file.
func secretFields(file reflect.Value) (list []secretField) {
	for n := range file.NumField() {
		if content, ok := file.Field(n).Interface().([]byte); ok {
			name, _, _ := strings.Cut(file.Type().Field(n).Tag.Get("json"), ",")
			list = append(list, secretField{name, content})
		}
	}
	return list
}

// concealed is a file with fillers in place of its secrets.
func concealed(file any) any {
	filled := reflect.New(reflect.TypeOf(file)).Elem()
	filled.Set(reflect.ValueOf(file))
	for n := range filled.NumField() {
		if content, ok := filled.Field(n).Interface().([]byte); ok {
			filled.Field(n).SetBytes(make([]byte, len(content)))
		}
	}
	return filled.Interface()
}

// reveal writes the secrets of a file into its text, where their fillers are. No text in the file
// can look like the name of a field: a quote in it has a backslash in front.
func reveal(text []byte, file any) error {
	for _, f := range secretFields(reflect.ValueOf(file)) {
		if len(f.content) == 0 {
			continue
		}
		filler := base64.StdEncoding.EncodeToString(make([]byte, len(f.content)))
		before := fmt.Sprintf("%q: \"", f.name)
		at := bytes.Index(text, []byte(before+filler+`"`))
		if at < 0 {
			return fmt.Errorf("store: there is no place for %s", f.name)
		}
		base64.StdEncoding.Encode(text[at+len(before):], f.content)
	}
	return nil
}

// patterns has what valueOf made, by name: of the few fields that files have. To make one takes as
// long as to read a file.
var patterns sync.Map

// valueOf finds a field and its value in a text, whichever way the name is written: encoding/json
// takes them all.
func valueOf(name string) *regexp.Regexp {
	if known, ok := patterns.Load(name); ok {
		return known.(*regexp.Regexp)
	}
	made := regexp.MustCompile(`(?i)"` + regexp.QuoteMeta(name) + `"\s*:\s*"([^"\\]*)"`)
	patterns.Store(name, made)
	return made
}

// checkNames checks that the text of a file has no other names than file, a pointer to its struct,
// has fields, and that one object is all that it has.
func checkNames(text []byte, file any) error {
	text = bytes.Clone(text)
	defer clear(text)
	kind := reflect.TypeOf(file).Elem()
	for _, f := range secretFields(reflect.New(kind).Elem()) {
		for _, at := range valueOf(f.name).FindAllSubmatchIndex(text, -1) {
			copy(text[at[2]:at[3]], bytes.Repeat([]byte("A"), (at[3]-at[2])/4*4))
		}
	}
	return decodeStrictly(json.NewDecoder(bytes.NewReader(text)), reflect.New(kind).Interface())
}
