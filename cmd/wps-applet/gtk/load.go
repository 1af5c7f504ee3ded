package gtk

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

// Unusable tells that a library is missing, or too old.
type Unusable struct {
	Library string // its soname
	Symbol  string // what it lacks; empty: it is not there at all
	Package string // which package of Debian has it
	Err     error
}

// Error implements error. It says what to install.
func (u *Unusable) Error() string {
	if u.Symbol != "" {
		return fmt.Sprintf("%s is too old (it has no %s): libadwaita 1.2 and GTK 4.8 or newer are needed", u.Library, u.Symbol)
	}
	return fmt.Sprintf("%s cannot be used (%v); install it: on Debian, apt install %s", u.Library,
		u.Err, u.Package)
}

// Unwrap gives the loader's own words.
func (u *Unusable) Unwrap() error { return u.Err }

// library is one by its soname, and who has it.
type library struct{ soname, pkg string }

// The libraries. What they need themselves they bring along: GObject, GDK and cairo are found
// through GTK.
var (
	glib    = library{"libglib-2.0.so.0", "libglib2.0-0"}
	gtk4    = library{"libgtk-4.so.1", "libgtk-4-1"}
	adwaita = library{"libadwaita-1.so.0", "libadwaita-1-0"}
)

// c has the C functions, by their names without prefix where that is clear. Pointers are uintptr,
// and belong to whom GTK's manual says; strings that are passed are copied by purego and live until
// the call returns.
var c struct {
	// C library.
	setlocale               func(category int32, locale string) uintptr
	bindtextdomain          func(domain, dir string) uintptr
	bindTextdomainCodeset   func(domain, codeset string) uintptr
	textdomain              func(domain string) uintptr
	dgettext                func(domain, msgid string) string
	dngettext               func(domain, one, many string, n uint64) string
	gFree                   func(p uintptr)
	setPrgname              func(name string)
	setApplicationName      func(name string)
	idleAddFull             func(priority int32, f, data, notify uintptr) uint32
	timeoutAddSecondsFull   func(priority int32, s uint32, f, data, notify uintptr) uint32
	sourceRemove            func(id uint32) bool
	bytesNew                func(data *byte, size uint64) uintptr
	bytesUnref              func(b uintptr)
	objectRefSink           func(o Object) Object
	objectUnref             func(o Object)
	objectSetProperty       func(o Object, name string, value *value)
	objectGetProperty       func(o Object, name string, value *value)
	signalConnectData       func(o Object, signal string, f, data, destroy uintptr, flags int32) uint64
	valueInit               func(v *value, kind uintptr) uintptr
	valueUnset              func(v *value)
	valueSetString          func(v *value, s string)
	valueGetString          func(v *value) string
	valueSetBoolean         func(v *value, b bool)
	valueGetBoolean         func(v *value) bool
	valueSetInt             func(v *value, i int32)
	valueSetUint            func(v *value, i uint32)
	valueGetUint            func(v *value) uint32
	valueSetDouble          func(v *value, d float64)
	valueSetObject          func(v *value, o Object)
	applicationRun          func(app Object, argc int32, argv uintptr) int32
	applicationRegister     func(app Object, cancellable uintptr, err *uintptr) bool
	applicationIsRemote     func(app Object) bool
	applicationActivate     func(app Object)
	applicationBus          func(a Object) Object
	busFlush                func(conn Object, cancellable, err uintptr) bool
	applicationHold         func(app Object)
	applicationQuit         func(app Object)
	simpleActionNew         func(name string, parameter uintptr) Object
	variantNewString        func(s string) uintptr
	variantGetString        func(v uintptr, length uintptr) string
	variantNewBoolean       func(b bool) uintptr
	variantTypeNew          func(s string) uintptr
	simpleActionNewStateful func(name string, parameter, state uintptr) Object
	simpleActionSetState    func(a Object, state uintptr)
	windowSetDefaultSize    func(w Object, width, height int32)
	actionMapAdd            func(m, action Object)
	actionGroupActivate     func(m Object, name string, parameter uintptr)
	fileNewForPath          func(path string) Object
	fileGetPath             func(f Object) uintptr
	fileChooserGetFile      func(chooser Object) Object
	fileChooserSetFile      func(chooser, file Object, err *uintptr) bool
	fileChooserSetName      func(chooser Object, name string)
	nativeDialogShow        func(d Object)
	builderNew              func() Object
	builderSetDomain        func(b Object, domain string)
	builderAddFromString    func(b Object, xml string, length int64, err *uintptr) bool
	builderGetObject        func(b Object, name string) Object
	windowPresent           func(w Object)
	windowClose             func(w Object)
	setAccels               func(app Object, action string, accels **byte)
	widgetAddClass          func(w Object, class string)
	widgetRemoveClass       func(w Object, class string)
	widgetGrabFocus         func(w Object) bool
	widgetChildFocus        func(w Object, direction int32) bool
	widgetQueueDraw         func(w Object)
	widgetGetClipboard      func(w Object) Object
	widgetGetStyleContext   func(w Object) Object
	styleContextGetColor    func(s Object, rgba *[4]float32)
	styleContextLookup      func(s Object, name string, rgba *[4]float32) bool
	styleAddProvider        func(display, provider Object, priority uint32)
	cssProviderNew          func() Object
	cssProviderLoad         func(p Object, data string, length int64)
	clipboardSetText        func(clip Object, text string)
	displayGetDefault       func() Object
	iconThemeForDisplay     func(d Object) Object
	iconThemeAddPath        func(t Object, path string)
	listBoxAppend           func(l, child Object)
	listBoxRemove           func(l, child Object)
	listBoxSelectRow        func(l, row Object)
	listBoxRowIndex         func(row Object) int32
	boxAppend               func(b, child Object)
	boxRemove               func(b, child Object)
	groupAdd                func(g, child Object)
	groupRemove             func(g, child Object)
	stackSetVisible         func(s Object, name string)
	stackChild              func(s Object, name string) Object
	firstChild              func(w Object) Object
	nextSibling             func(w Object) Object
	stackAddNamed           func(s, child Object, name string) Object
	drawingAreaSetDraw      func(area Object, f, data, destroy uintptr)
	accessibleUpdate        func(a Object, n int32, which *int32, values *value)
	textureFromBytes        func(bytes uintptr, err *uintptr) Object
	stringListNew           func(strings **byte) Object
	adwApplicationNew       func(id string, flags int32) Object
	toastNew                func(title string) Object
	toastOverlayAdd         func(overlay, toast Object)
	toastDismiss            func(toast Object)
	cairoSetSource          func(cr uintptr, r, g, b, a float64)
	cairoSetLineWidth       func(cr uintptr, w float64)
	cairoSetLineCap         func(cr uintptr, cap int32)
	cairoArc                func(cr uintptr, x, y, radius, from, to float64)
	cairoStroke             func(cr uintptr)
	cairoNewPath            func(cr uintptr)
	windowSetApplication    func(w, app Object)
}

// Load opens the libraries and finds all functions. The calling goroutine stays on its thread from
// now on: it is GTK's.
func Load() error {
	runtime.LockOSThread()
	for _, l := range []struct {
		library
		functions []function
	}{{glib, texts()}, {gtk4, functions()}, {adwaita, adwaitaFunctions()}} {
		if err := l.load(l.functions); err != nil {
			return err
		}
	}
	makeCallbacks()
	return nil
}

// LoadTexts opens what T and N need, and no more: a program without a window has no use for GTK's
// 50 MiB.
func LoadTexts() error { return glib.load(texts()) }

// load opens a library, and finds these functions in it and in what it needs itself.
func (l library) load(functions []function) error {
	h, err := purego.Dlopen(l.soname, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return &Unusable{Library: l.soname, Package: l.pkg, Err: err}
	}
	for _, f := range functions {
		address, err := purego.Dlsym(h, f.name)
		if err != nil {
			return &Unusable{Library: l.soname, Symbol: f.name, Package: l.pkg, Err: err}
		}
		purego.RegisterFunc(f.to, address)
	}
	return nil
}

// function is one of c, with its name in C.
type function struct {
	name string
	to   any
}

// texts are those that translate.
func texts() []function {
	return []function{
		{"setlocale", &c.setlocale},
		{"bindtextdomain", &c.bindtextdomain},
		{"bind_textdomain_codeset", &c.bindTextdomainCodeset},
		{"textdomain", &c.textdomain},
		{"g_dgettext", &c.dgettext},
		{"g_dngettext", &c.dngettext},
		{"g_set_prgname", &c.setPrgname},
	}
}

// adwaitaFunctions are libadwaita's.
func adwaitaFunctions() []function {
	return []function{
		{"adw_preferences_group_add", &c.groupAdd},
		{"adw_preferences_group_remove", &c.groupRemove},
		{"adw_application_new", &c.adwApplicationNew},
		{"adw_toast_new", &c.toastNew},
		{"adw_toast_overlay_add_toast", &c.toastOverlayAdd},
		{"adw_toast_dismiss", &c.toastDismiss},
	}
}

// functions are GTK's, and those of the libraries below it.
func functions() []function { return append(objectFunctions(), widgetFunctions()...) }

// objectFunctions are GLib's, GObject's and GIO's.
func objectFunctions() []function {
	return []function{
		{"g_free", &c.gFree},
		{"g_set_application_name", &c.setApplicationName},
		{"g_idle_add_full", &c.idleAddFull},
		{"g_timeout_add_seconds_full", &c.timeoutAddSecondsFull},
		{"g_source_remove", &c.sourceRemove},
		{"g_bytes_new", &c.bytesNew},
		{"g_bytes_unref", &c.bytesUnref},
		{"g_object_ref_sink", &c.objectRefSink},
		{"g_object_unref", &c.objectUnref},
		{"g_object_set_property", &c.objectSetProperty},
		{"g_object_get_property", &c.objectGetProperty},
		{"g_signal_connect_data", &c.signalConnectData},
		{"g_value_init", &c.valueInit},
		{"g_value_unset", &c.valueUnset},
		{"g_value_set_string", &c.valueSetString},
		{"g_value_get_string", &c.valueGetString},
		{"g_value_set_boolean", &c.valueSetBoolean},
		{"g_value_get_boolean", &c.valueGetBoolean},
		{"g_value_set_int", &c.valueSetInt},
		{"g_value_set_uint", &c.valueSetUint},
		{"g_value_get_uint", &c.valueGetUint},
		{"g_value_set_double", &c.valueSetDouble},
		{"g_value_set_object", &c.valueSetObject},
		{"g_application_run", &c.applicationRun},
		{"g_application_register", &c.applicationRegister},
		{"g_application_get_is_remote", &c.applicationIsRemote},
		{"g_application_activate", &c.applicationActivate},
		{"g_application_get_dbus_connection", &c.applicationBus},
		{"g_dbus_connection_flush_sync", &c.busFlush},
		{"g_application_hold", &c.applicationHold},
		{"g_application_quit", &c.applicationQuit},
		{"g_simple_action_new", &c.simpleActionNew},
		{"g_action_map_add_action", &c.actionMapAdd},
		{"g_file_new_for_path", &c.fileNewForPath},
		{"g_file_get_path", &c.fileGetPath},
		{"g_action_group_activate_action", &c.actionGroupActivate},
		{"g_variant_new_string", &c.variantNewString},
		{"g_variant_get_string", &c.variantGetString},
		{"g_variant_new_boolean", &c.variantNewBoolean},
		{"g_simple_action_new_stateful", &c.simpleActionNewStateful},
		{"g_simple_action_set_state", &c.simpleActionSetState},
		{"g_variant_type_new", &c.variantTypeNew},
	}
}

// widgetFunctions are those of GTK, GDK and cairo.
func widgetFunctions() []function {
	return []function{
		{"gtk_file_chooser_get_file", &c.fileChooserGetFile},
		{"gtk_file_chooser_set_file", &c.fileChooserSetFile},
		{"gtk_file_chooser_set_current_name", &c.fileChooserSetName},
		{"gtk_native_dialog_show", &c.nativeDialogShow},
		{"gtk_builder_new", &c.builderNew},
		{"gtk_builder_set_translation_domain", &c.builderSetDomain},
		{"gtk_builder_add_from_string", &c.builderAddFromString},
		{"gtk_builder_get_object", &c.builderGetObject},
		{"gtk_window_present", &c.windowPresent},
		{"gtk_window_close", &c.windowClose},
		{"gtk_application_set_accels_for_action", &c.setAccels},
		{"gtk_widget_add_css_class", &c.widgetAddClass},
		{"gtk_widget_remove_css_class", &c.widgetRemoveClass},
		{"gtk_widget_grab_focus", &c.widgetGrabFocus},
		{"gtk_widget_child_focus", &c.widgetChildFocus},
		{"gtk_widget_queue_draw", &c.widgetQueueDraw},
		{"gtk_widget_get_clipboard", &c.widgetGetClipboard},
		{"gtk_widget_get_style_context", &c.widgetGetStyleContext},
		{"gtk_style_context_get_color", &c.styleContextGetColor},
		{"gtk_style_context_lookup_color", &c.styleContextLookup},
		{"gtk_style_context_add_provider_for_display", &c.styleAddProvider},
		{"gtk_css_provider_new", &c.cssProviderNew},
		{"gtk_css_provider_load_from_data", &c.cssProviderLoad},
		{"gdk_clipboard_set_text", &c.clipboardSetText},
		{"gdk_display_get_default", &c.displayGetDefault},
		{"gtk_icon_theme_get_for_display", &c.iconThemeForDisplay},
		{"gtk_icon_theme_add_search_path", &c.iconThemeAddPath},
		{"gtk_list_box_append", &c.listBoxAppend},
		{"gtk_list_box_remove", &c.listBoxRemove},
		{"gtk_list_box_select_row", &c.listBoxSelectRow},
		{"gtk_list_box_row_get_index", &c.listBoxRowIndex},
		{"gtk_box_append", &c.boxAppend},
		{"gtk_box_remove", &c.boxRemove},
		{"gtk_stack_set_visible_child_name", &c.stackSetVisible},
		{"gtk_stack_get_child_by_name", &c.stackChild},
		{"gtk_widget_get_first_child", &c.firstChild},
		{"gtk_widget_get_next_sibling", &c.nextSibling},
		{"gtk_stack_add_named", &c.stackAddNamed},
		{"gtk_drawing_area_set_draw_func", &c.drawingAreaSetDraw},
		{"gtk_accessible_update_property_value", &c.accessibleUpdate},
		{"gdk_texture_new_from_bytes", &c.textureFromBytes},
		{"gtk_string_list_new", &c.stringListNew},
		{"cairo_set_source_rgba", &c.cairoSetSource},
		{"cairo_set_line_width", &c.cairoSetLineWidth},
		{"cairo_set_line_cap", &c.cairoSetLineCap},
		{"cairo_arc", &c.cairoArc},
		{"cairo_stroke", &c.cairoStroke},
		{"cairo_new_path", &c.cairoNewPath},
		{"gtk_window_set_application", &c.windowSetApplication},
		{"gtk_window_set_default_size", &c.windowSetDefaultSize},
	}
}

// errorText takes a GError apart and frees it: a quark, a code, and a message behind them.
func errorText(e uintptr) error {
	if e == 0 {
		return errors.New("no reason given")
	}
	type gError struct {
		domain  uint32
		code    int32
		message *byte
	}
	g := (*gError)(pointer(e))
	return errors.New(goString(uintptr(unsafe.Pointer(g.message))))
}

// goString copies a C string.
func goString(p uintptr) string {
	if p == 0 {
		return ""
	}
	n := 0
	for *(*byte)(unsafe.Add(pointer(p), n)) != 0 {
		n++
	}
	return string(unsafe.Slice((*byte)(pointer(p)), n))
}

// pointer makes a pointer of an address that C gave: vet does not know that it is none of Go's.
func pointer(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

// cStrings makes a NULL-terminated array of C strings; keep is what has to live as long as it.
func cStrings(list []string) (array **byte, keep any) {
	pointers := make([]*byte, len(list)+1)
	for i, s := range list {
		b := append([]byte(s), 0)
		pointers[i] = &b[0]
	}
	return &pointers[0], pointers
}
