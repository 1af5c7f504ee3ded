package controlpointtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// ownNetwork is set in the process that has a network of its own.
const ownNetwork = "WPSD_TEST_NETWORK"

// Main runs the tests of a package in a network of its own, if the kernel lets us have one, else in
// that of the machine: on its loopback interface others may speak, and subscribe, too. Call it from
// TestMain. The whole process has to be inside: a namespace belongs to a thread, and Go moves
// goroutines between them.
func Main(m *testing.M) {
	switch {
	case os.Getenv(ownNetwork) != "":
		if err := loopbackUp(); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, "controlpointtest:", err)
			os.Exit(2)
		}
	case slices.ContainsFunc(os.Args, func(a string) bool {
		return strings.HasPrefix(a, "-test.fuzzworker")
	}):
		// It has files from the process that started it, and that one's network.
	default:
		again()
	}
	os.Exit(m.Run())
}

// again runs this program in a new network and ends as it does. It returns if there cannot be one.
func again() {
	runtime.LockOSThread() // else the end of this thread would be the end of the other process
	if !possible() {
		return
	}
	cmd := inNetwork(os.Args[1:]...)
	cmd.Env = append(os.Environ(), ownNetwork+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() >= 0 {
		os.Exit(exit.ExitCode())
	} else if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "controlpointtest:", err)
		os.Exit(2)
	}
	os.Exit(0)
}

// possible tries whether there can be a new network, with a run of this program that has no tests
// to do.
func possible() bool {
	cmd := inNetwork("-test.run=^$")
	cmd.Env = append(os.Environ(), ownNetwork+"=1")
	return cmd.Run() == nil
}

// inNetwork is this program in a new network. Whoever is not root needs a user namespace for it,
// and the one capability with which to bring the loopback interface up.
func inNetwork(arguments ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", arguments...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET,
		Pdeathsig: syscall.SIGKILL}
	if uid, gid := os.Getuid(), os.Getgid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid,
			HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid,
			HostID: gid, Size: 1}}
		cmd.SysProcAttr.AmbientCaps = []uintptr{unix.CAP_NET_ADMIN}
	}
	return cmd
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer func() { _ = unix.Close(fd) }()
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	return os.NewSyscallError("bring lo up", unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo))
}
