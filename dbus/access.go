package dbus

import "context"

// Action is the id of a polkit action.
type Action string

// The actions. packaging/fi.w1.wps.policy declares them to polkit.
const (
	// Anyone is the action of what needs no authorization.
	Anyone Action = ""

	ActionScan        Action = "fi.w1.wps.scan"
	ActionEnroll      Action = "fi.w1.wps.enroll"
	ActionRegister    Action = "fi.w1.wps.register"
	ActionReadSecrets Action = "fi.w1.wps.read-secrets"
	ActionManage      Action = "fi.w1.wps.manage"
)

// access says who may do what: a row for each method of our interfaces and each property that can be written.
// orOwner means that the owner of the session in question needs no authorization.
var access = map[string]struct {
	action  Action
	orOwner bool
}{
	managerIface + ".GeneratePin":     {action: Anyone},
	managerIface + ".CheckPin":        {action: Anyone},
	managerIface + ".AddNetwork":      {action: ActionManage},
	managerIface + ".AddInterface":    {action: ActionManage},
	managerIface + ".RemoveInterface": {action: ActionManage},
	managerIface + ".NfcTagRead":      {action: ActionEnroll},

	managerIface + ".RegisterCredentialAgent":   {action: ActionReadSecrets},
	managerIface + ".UnregisterCredentialAgent": {action: Anyone}, // of one's own

	managerIface + ".DeviceName":           {action: ActionManage},
	managerIface + ".Manufacturer":         {action: ActionManage},
	managerIface + ".ModelName":            {action: ActionManage},
	managerIface + ".ModelNumber":          {action: ActionManage},
	managerIface + ".SerialNumber":         {action: ActionManage},
	managerIface + ".DeviceType":           {action: ActionManage},
	managerIface + ".OsVersion":            {action: ActionManage},
	managerIface + ".ConfigMethods":        {action: ActionManage},
	managerIface + ".CredentialProcessing": {action: ActionManage},

	interfaceIface + ".Scan":      {action: ActionScan},
	interfaceIface + ".StartPbc":  {action: ActionEnroll},
	interfaceIface + ".StartPin":  {action: ActionEnroll},
	interfaceIface + ".Learn":     {action: ActionRegister},
	interfaceIface + ".Configure": {action: ActionRegister},
	interfaceIface + ".ApPin":     {action: ActionRegister},
	interfaceIface + ".Cancel":    {action: ActionEnroll, orOwner: true},

	interfaceIface + ".StartNfc":           {action: ActionEnroll},
	interfaceIface + ".NfcTagRead":         {action: ActionEnroll},
	interfaceIface + ".NfcHandoverRequest": {action: ActionEnroll},
	interfaceIface + ".NfcHandoverSelect":  {action: ActionEnroll},
	interfaceIface + ".NfcReportHandover":  {action: ActionEnroll},
	// A PIN is good for one session, what is on a tag for as long as the tag.
	interfaceIface + ".NfcPasswordToken": {action: ActionReadSecrets},
	interfaceIface + ".NfcConfigToken":   {action: ActionReadSecrets},

	erIface + ".Start":     {action: ActionScan},
	erIface + ".Stop":      {action: ActionScan},
	erIface + ".Learn":     {action: ActionRegister},
	erIface + ".SetConfig": {action: ActionRegister},
	erIface + ".Configure": {action: ActionRegister},
	erIface + ".EnrollPbc": {action: ActionRegister},
	erIface + ".EnrollPin": {action: ActionRegister},

	erIface + ".NfcConfigToken":    {action: ActionReadSecrets},
	erIface + ".NfcHandoverSelect": {action: ActionRegister},
	erIface + ".NfcTagRead":        {action: ActionRegister}, // it may let a device in, as EnrollPin does

	sessionIface + ".Cancel":         {action: ActionEnroll, orOwner: true},
	sessionIface + ".GetCredentials": {action: ActionReadSecrets, orOwner: true},

	networkIface + ".GetSecrets": {action: ActionReadSecrets},
	networkIface + ".Activate":   {action: ActionEnroll},
	networkIface + ".Delete":     {action: ActionManage},
}

// Request is what an Authorizer is asked.
type Request struct {
	Action Action
	// Sender is the caller's unique name on the bus, UID whose process it is (both are the bus's word).
	Sender string
	UID    uint32
	// Interactive says that the caller is ready to wait while the user is asked for a password.
	Interactive bool
	// Details are for the administrator's rules: "method" is the method, or the property that is to be set, "interface" the
	// network interface in question.
	Details map[string]string
}

// Authorizer decides who may do what. Authorize returns nil for yes and an error that wraps ErrNotAuthorized for no; it
// may take minutes, and ctx ends when the caller leaves the bus. It is called from several goroutines at once: as many
// as there are callers, so it has to bound what a question costs.
type Authorizer interface {
	Authorize(ctx context.Context, r Request) error
}

// OnlyRoot is the Authorizer that lets root and one more user pass, and nobody else.
type OnlyRoot struct{ Also uint32 }

// Authorize implements Authorizer.
func (o OnlyRoot) Authorize(_ context.Context, r Request) error {
	if r.UID == 0 || r.UID == o.Also {
		return nil
	}
	return ErrNotAuthorized
}
