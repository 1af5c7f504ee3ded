//go:build hwsim

package hwsim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// Debian's own users, of whom the rules speak.
const (
	uidGames  = 5  // may do everything
	uidMail   = 8  // may do nothing
	uidNews   = 9  // may do what is about the station
	uidWeb    = 33 // may do what whoever sits at the machine may without a password, and so may
	uidBackup = 34
	uidList   = 38    // has to type the administrator's password
	uidNobody = 65534 // is in no rule: what our policy says for somebody without a session
)

// polkitRules are an administrator's.
const polkitRules = `polkit.addRule(function(action, subject) {
    if (action.id.indexOf("fi.w1.wps.") != 0) return polkit.Result.NOT_HANDLED;
    switch (subject.user) {
    case "games": return polkit.Result.YES;
    case "mail": return polkit.Result.NO;
    case "news": return action.lookup("interface") == "wlan1" && action.lookup("method") == "StartPbc" ? polkit.Result.YES : polkit.Result.NO;
    case "list": return polkit.Result.AUTH_ADMIN;
    case "www-data": case "backup": return action.id == "fi.w1.wps.scan" || action.id == "fi.w1.wps.enroll" ? polkit.Result.YES : polkit.Result.NO;
    }
    return polkit.Result.NOT_HANDLED;
});
`

const polkitName = "org.freedesktop.PolicyKit1"

// startPolkitd starts the real one, with our policy and these rules, on the bus that is there.
func (w *world) startPolkitd() *process {
	w.t.Helper()
	const program = "/usr/lib/polkit-1/polkitd"
	if _, err := os.Stat(program); err != nil {
		w.t.Skip("needs polkitd: run test/hwsim/run")
	}
	w.must(os.MkdirAll("/usr/share/polkit-1/actions", 0o755))
	w.must(os.MkdirAll("/etc/polkit-1/rules.d", 0o755))
	w.sh("cp /in/policy/*.policy /usr/share/polkit-1/actions/; chmod 644 /usr/share/polkit-1/actions/*")
	if sandboxed() { // what lets wpsd's own user ask NetworkManager
		w.sh("mkdir -p /usr/share/polkit-1/rules.d; cp %s/fi.w1.wps.rules /usr/share/polkit-1/rules.d/", installed)
	}
	w.must(os.WriteFile("/etc/polkit-1/rules.d/10-scenario.rules", []byte(polkitRules), 0o644))
	p := w.start("polkitd", program, "--no-debug")
	look := w.connect()
	w.until("polkitd is on the bus", 20*time.Second, func() bool {
		if !p.running() {
			w.t.Fatalf("polkitd ended:\n%s", p.output())
		}
		var owner string
		return look.conn.BusObject().Call("org.freedesktop.DBus.GetNameOwner", 0,
			polkitName).Store(&owner) == nil
	})
	return p
}

// connectAs is connect for another user. What the kernel tells the bus about us is what the thread
// was that connected; that thread ends with its goroutine.
func (w *world) connectAs(uid int) *client {
	w.t.Helper()
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // never unlocked: nobody else shall run as this user
		if _, _, e := syscall.RawSyscall(syscall.SYS_SETRESUID, uintptr(uid), uintptr(uid),
			uintptr(uid)); e != 0 {
			done <- result{err: e}
			return
		}
		conn, err := net.Dial("unix", busSocket)
		done <- result{conn, err}
	}()
	r := <-done
	w.must(r.err)
	conn, err := godbus.NewConn(r.conn)
	w.must(err)
	w.t.Cleanup(func() { conn.Close() })
	w.must(conn.Auth([]godbus.Auth{godbus.AuthExternal(fmt.Sprint(uid))}))
	w.must(conn.Hello())
	return w.listen(conn)
}

// ask calls a method with the flag for interactive authorization, which godbus's own calls cannot
// have.
func (c *client) ask(path godbus.ObjectPath, method string, args ...any) *godbus.Call {
	iface, member, _ := strings.Cut(method, ".")
	m := &godbus.Message{
		Type: godbus.TypeMethodCall, Flags: godbus.FlagAllowInteractiveAuthorization, Body: args,
		Headers: map[godbus.HeaderField]godbus.Variant{
			godbus.FieldDestination: godbus.MakeVariant(busName),
			godbus.FieldPath:        godbus.MakeVariant(path),
			godbus.FieldInterface:   godbus.MakeVariant(busName + "." + iface),
			godbus.FieldMember:      godbus.MakeVariant(member),
		},
	}
	if len(args) > 0 {
		m.Headers[godbus.FieldSignature] = godbus.MakeVariant(godbus.SignatureOf(args...))
	}
	return c.conn.Send(m, make(chan *godbus.Call, 1))
}

// ends waits for the answer to ask and checks the name of its error; "" is success.
func (c *client) ends(call *godbus.Call, want string) {
	c.w.t.Helper()
	select {
	case <-call.Done:
	case <-time.After(time.Minute):
		c.w.t.Fatalf("%s: no answer, want %q", call.Method, want)
	}
	var e godbus.Error
	got := ""
	if call.Err != nil {
		got = call.Err.Error()
	}
	if errors.As(call.Err, &e) {
		got = strings.TrimPrefix(e.Name, errorPrefix)
	}
	if got != want {
		c.w.t.Errorf("%s: %q (%v), want %q", call.Method, got, call.Err, want)
	}
}

// polkitAgent is a small authentication agent for this process: what a desktop has for its windows.
// It types no password: it runs as root, and vouches for the user to polkit as
// polkit-agent-helper-1 does.
type polkitAgent struct {
	w        *world
	conn     *godbus.Conn
	asked    chan dialog   // gets each dialog when it opens
	canceled chan string   // gets the cookies of those that polkit closes
	answer   chan response // what the user does
}

// dialog is one question for a password.
type dialog struct {
	action, message, cookie string
	details                 map[string]string
}

// response is what becomes of a dialog.
type response int

const (
	rightPassword response = iota
	wrongPassword
	dismiss
	tooLate // the right password, after polkit closed the dialog
)

const agentObject = godbus.ObjectPath("/scenario/polkit/agent")

// identity is who could type a password.
type identity struct {
	Kind    string
	Details map[string]godbus.Variant
}

// startAgent registers an agent for this process.
func (w *world) startAgent() *polkitAgent {
	w.t.Helper()
	a := &polkitAgent{
		w: w, conn: w.connect().conn, asked: make(chan dialog, 8), canceled: make(chan string, 8),
		answer: make(chan response),
	}
	methods := map[string]any{"BeginAuthentication": a.begin, "CancelAuthentication": a.cancel}
	w.must(a.conn.ExportMethodTable(methods, agentObject, polkitName+".AuthenticationAgent"))
	a.register()
	return a
}

func (a *polkitAgent) authority() godbus.BusObject {
	return a.conn.Object(polkitName, "/org/freedesktop/PolicyKit1/Authority")
}

// register tells polkitd of the agent, again when that was restarted.
func (a *polkitAgent) register() {
	a.w.t.Helper()
	stat, err := os.ReadFile("/proc/self/stat")
	a.w.must(err)
	_, rest, _ := strings.Cut(string(stat), ") ")
	var start uint64 // field 22; the rest begins with the third
	_, err = fmt.Sscan(strings.Fields(rest)[19], &start)
	a.w.must(err)
	subject := identity{"unix-process", map[string]godbus.Variant{
		"pid": godbus.MakeVariant(uint32(os.Getpid())), "start-time": godbus.MakeVariant(start),
		"uid": godbus.MakeVariant(int32(0)),
	}}
	a.w.must(a.authority().Call(polkitName+".Authority.RegisterAuthenticationAgent", 0, subject,
		"C", string(agentObject)).Err)
}

func (a *polkitAgent) begin(action, message, icon string, details map[string]string, cookie string,
	users []identity) *godbus.Error {
	a.asked <- dialog{action, message, cookie, details}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	select {
	case r := <-a.answer:
		switch r {
		case dismiss:
			return godbus.NewError(polkitName+".Error.Cancelled", []any{"dismissed"})
		case rightPassword, tooLate:
			root := identity{"unix-user",
				map[string]godbus.Variant{"uid": godbus.MakeVariant(uint32(0))}}
			err := a.authority().Call(polkitName+".Authority.AuthenticationAgentResponse2", 0,
				uint32(0), cookie, root).Err
			if (err != nil) != (r == tooLate) {
				a.w.t.Errorf("polkit takes the password: %v", err)
			}
		}
	case <-ctx.Done():
	}
	return nil
}

func (a *polkitAgent) cancel(cookie string) *godbus.Error {
	a.canceled <- cookie
	return nil
}

// opens waits for a dialog.
func (a *polkitAgent) opens() dialog {
	a.w.t.Helper()
	select {
	case d := <-a.asked:
		return d
	case <-time.After(30 * time.Second):
		a.w.t.Fatal("no dialog opened")
	}
	return dialog{}
}

// closes waits until polkit closes that dialog. It may have told of earlier ones twice.
func (a *polkitAgent) closes(d dialog) {
	a.w.t.Helper()
	for timeout := time.After(30 * time.Second); ; {
		select {
		case cookie := <-a.canceled:
			if cookie == d.cookie {
				return
			}
		case <-timeout:
			a.w.t.Error("the dialog stays open")
			return
		}
	}
}
