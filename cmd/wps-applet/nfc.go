package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"wpsd/cmd/wps-applet/gtk"
	"wpsd/cmd/wps-applet/model"
	"wpsd/engine/secret"
)

//go:embed ui/files.ui
var filesXML string

// maxTag bounds what is read as the content of a tag: the largest have 8 KiB.
const maxTag = 64 << 10

// nfc is the page of tags: their content comes from files and goes into files; touching is neard's.
type nfc struct {
	*deck
	head    *heading
	reading *rowList
	writing *rowList
	dialog  gtk.Object // the file chooser that is open, or was last; it is ours
	last    string     // the file that was read or written last
}

func newNFC(a *applet) *nfc {
	n := &nfc{}
	all := newColumn()
	n.head = newHeading(all.box)
	n.reading = newGroup(all.box, T("Read"), "")
	n.writing = newGroup(all.box, T("Write"),
		T("Who has such a tag or file can join the network: it holds the password."))
	n.deck = newDeck(a, "list", map[string]gtk.Object{"list": all.root})
	return n
}

func (n *nfc) name() string     { return "nfc" }
func (n *nfc) title() string    { return T("NFC") }
func (n *nfc) icon() string     { return "media-flash-symbolic" }
func (n *nfc) root() gtk.Object { return n.view }
func (n *nfc) enter()           {}
func (n *nfc) leave()           {}
func (n *nfc) deeper() bool     { return n.where != "list" }

func (n *nfc) visible(s *model.State) bool { return len(s.Interfaces) > 0 }

func (n *nfc) back() {
	if n.run.active() {
		n.run.back()
		return
	}
	n.to("list")
}

func (n *nfc) render(s *model.State) {
	n.run.render(s)
	body := T("No NFC reader is served on this computer (neard): tags are read and written as files, which another program brings to the tag.")
	if n.a.model.NFCReader() {
		body = T("Hold a tag or a phone to the NFC reader: what is on it is taken by itself. Files work as well.")
	}
	n.head.show(T("Tags"), body, nil, nil)
	station, ok := n.a.station()
	reading := []row{{key: "file", title: T("Read the Content of a Tag"),
		subtitle: T("A file with a network, or with the password of a device or a router."),
		icon:     "document-open-symbolic", button: T("Open…"), do: n.read}}
	if ok {
		reading = append(reading, row{key: "join", title: T("Join With This Computer's Tag"),
			subtitle: T("After the router has read it."), icon: "network-wireless-symbolic",
			button: T("Start"), do: func() { n.join(station.Path) }})
	}
	n.reading.show(reading)
	var writing []row
	if ok {
		writing = append(writing, row{key: "own", title: T("This Computer's Tag"),
			subtitle: T("A router that reads it lets this computer in."), icon: "computer-symbolic",
			button: T("Save…"), do: func() {
				n.save("wps-password.ndef", func() ([]byte, error) {
					return n.a.model.PasswordToken(station.Path)
				})
			}})
	}
	for _, one := range s.Networks {
		if len(s.Interfaces) == 0 {
			break
		}
		at := s.Interfaces[0].Path
		writing = append(writing, row{key: string(one.Path), title: ssidText(one.SSID),
			subtitle: T("A device that reads it joins this network."),
			icon:     "network-wireless-encrypted-symbolic", button: T("Save…"), do: func() {
				n.save("wps-network.ndef", func() ([]byte, error) {
					return n.a.model.NetworkToken(at, one.Path)
				})
			}})
	}
	n.writing.show(writing)
}

// choose opens a file chooser; then gets the file.
func (n *nfc) choose(id, name string, then func(file string)) {
	if n.dialog != 0 {
		n.dialog.Unref()
	}
	b := gtk.Build(filesXML)
	defer b.Done()
	n.dialog = b.Get(id).Keep()
	n.dialog.Set("transient-for", n.a.window)
	switch {
	case name != "":
		n.dialog.SuggestName(name)
	case n.last != "":
		n.dialog.Choose(n.last)
	}
	const accept = -3 // GTK_RESPONSE_ACCEPT
	dialog := n.dialog
	dialog.OnNumber("response", func(answer int) {
		if file := dialog.Chosen(); answer == accept && file != "" {
			then(file)
		}
	})
	dialog.ShowNative()
}

// read takes what is in a file.
func (n *nfc) read() {
	n.choose("open", "", func(file string) {
		at := n.a.state.Interfaces[0].Path
		if station, ok := n.a.station(); ok {
			at = station.Path
		}
		n.a.in("reading a tag", func() func() {
			content, err := readTag(file)
			if err != nil {
				return func() { n.a.toast(T("The file cannot be read.")) }
			}
			tag, err := n.a.model.ReadTag(at, content)
			clear(content)
			return func() {
				n.last = file
				n.wasRead(tag, err)
			}
		})
	})
}

// readTag reads a file that is no longer than a tag can be.
func readTag(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, maxTag+1))
	if err == nil && len(content) > maxTag {
		err = errors.New("longer than a tag")
	}
	return content, err
}

func (n *nfc) wasRead(tag model.Tag, err error) {
	switch {
	case err != nil:
		n.a.failed(explainError(err))
	case len(tag.Networks) > 0:
		n.a.toast(T("The network of the tag is stored."))
		n.a.open("networks")
	case tag.Session != "":
		n.begin(order{title: T("Waiting for the Device"), keyless: true, done: admitted,
			body: T("It is let in when it comes with this PIN."),
			begin: func() (model.Path, secret.Value, error) {
				return tag.Session, secret.Value{}, nil
			}})
	default:
		n.a.toast(T("The password of the tag is kept for ten minutes."))
	}
}

// save writes what goes on a tag into a file that only its owner can read.
func (n *nfc) save(name string, token func() ([]byte, error)) {
	n.choose("save", name, func(file string) {
		n.a.in("saving a token", func() func() {
			content, err := token()
			if err != nil {
				return func() {
					n.a.failed(explainError(err))
				}
			}
			err = writePrivate(file, content)
			clear(content)
			return func() {
				if err != nil {
					n.a.toast(T("The file cannot be written."))
					return
				}
				n.last = file
				n.a.toast(fmt.Sprintf(T("Saved as %s."), printable(file)))
			}
		})
	})
}

// writePrivate writes a file of mode 0600 in place of what was there, whoever could read that.
func writePrivate(name string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".wps-*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// join joins with this computer's tag, which the router has read.
func (n *nfc) join(station model.Path) {
	n.begin(order{title: T("Looking for the Router"), body: T("The one that has read this computer's tag lets it in."),
		begin: func() (model.Path, secret.Value, error) {
			session, err := n.a.model.StartNFC(station)
			return session, secret.Value{}, err
		}})
}
