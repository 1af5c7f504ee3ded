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

// rule says who may make a call.
type rule struct {
	// action is asked for, or, if by is set, what that says; asked has the words of the manual
	// then.
	action Action
	by     func(ctx context.Context, r *request) Action
	asked  string
	// owner lets the owner of the session in question pass, user every process of that user. Where
	// there is no session anybody passes, as nothing can happen.
	owner, user bool
	// asks is set if the method itself asks polkit something.
	asks bool
}

// access has a row for each method of our interfaces and each property that can be written.
var access = map[string]rule{
	managerIface + ".GeneratePin":     {action: Anyone},
	managerIface + ".CheckPin":        {action: Anyone},
	managerIface + ".GetPermissions":  {action: Anyone, asks: true},
	managerIface + ".AddNetwork":      {action: ActionManage},
	managerIface + ".AddInterface":    {action: ActionManage},
	managerIface + ".RemoveInterface": {action: ActionManage},
	managerIface + ".NfcTagRead":      {by: byTag, asked: askedByTag},

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
	interfaceIface + ".StartPbc":  {by: byMode, asked: askedByMode},
	interfaceIface + ".StartPin":  {by: byMode, asked: askedByMode},
	interfaceIface + ".Learn":     {action: ActionRegister},
	interfaceIface + ".Configure": {action: ActionRegister},
	interfaceIface + ".ApPin":     {action: ActionRegister},
	interfaceIface + ".Cancel":    {action: ActionManage, owner: true, user: true},

	interfaceIface + ".StartNfc":           {by: byMode, asked: askedByMode},
	interfaceIface + ".NfcTagRead":         {by: byTag, asked: askedByTag},
	interfaceIface + ".NfcHandoverRequest": {action: ActionEnroll},
	interfaceIface + ".NfcHandoverSelect":  {action: ActionRegister},
	interfaceIface + ".NfcReportHandover":  {by: byRole, asked: askedByRole},
	// A PIN is good for one session, what is on a tag for as long as the tag.
	interfaceIface + ".NfcPasswordToken": {action: ActionReadSecrets},
	interfaceIface + ".NfcConfigToken":   {action: ActionReadSecrets},

	erIface + ".Start":     {action: ActionScan},
	erIface + ".Stop":      {by: byStarters, asked: askedByStarters},
	erIface + ".Learn":     {action: ActionRegister},
	erIface + ".SetConfig": {action: ActionRegister},
	erIface + ".Configure": {action: ActionRegister},
	erIface + ".EnrollPbc": {action: ActionRegister},
	erIface + ".EnrollPin": {action: ActionRegister},

	erIface + ".NfcConfigToken":    {action: ActionReadSecrets},
	erIface + ".NfcHandoverSelect": {action: ActionRegister},
	erIface + ".NfcTagRead":        {by: byTag, asked: askedByTag},

	sessionIface + ".Cancel":         {action: ActionManage, owner: true, user: true},
	sessionIface + ".GetCredentials": {action: ActionReadSecrets, owner: true},

	networkIface + ".GetSecrets": {action: ActionReadSecrets},
	networkIface + ".Activate":   {action: ActionEnroll},
	networkIface + ".Delete":     {action: ActionManage},
}

// Request is what an Authorizer is asked.
type Request struct {
	Action Action
	// Sender is the caller's unique name on the bus, UID whose process it is (both are the bus's
	// word).
	Sender string
	UID    uint32
	// Interactive says that the caller is ready to wait while the user is asked for a password.
	Interactive bool
	// Details are for the administrator's rules: "method" is the method, or the property that is to
	// be set, "interface" the network interface in question.
	Details map[string]string
}

// Authorizer decides who may do what. Authorize returns nil for yes and an error that wraps
// ErrNotAuthorized for no; it may take minutes, and ctx ends when the caller leaves the bus. It is
// called from several goroutines at once: as many as there are callers, so it has to bound what a
// question costs.
type Authorizer interface {
	Authorize(ctx context.Context, r Request) error
	// Permission says what Authorize would, without asking anybody for a password. It takes 20 s at
	// most.
	Permission(ctx context.Context, r Request) Permission
}

// Permission is whether somebody may do something.
type Permission string

// The permissions.
const (
	PermissionYes  Permission = "yes"
	PermissionAuth Permission = "auth" // with a password
	PermissionNo   Permission = "no"
)

// actions are all actions that there are.
var actions = []Action{ActionScan, ActionEnroll, ActionRegister, ActionReadSecrets, ActionManage}

// OnlyRoot is the Authorizer that lets root and one more user pass, and nobody else.
type OnlyRoot struct{ Also uint32 }

// Permission implements Authorizer.
func (o OnlyRoot) Permission(ctx context.Context, r Request) Permission {
	if o.Authorize(ctx, r) == nil {
		return PermissionYes
	}
	return PermissionNo
}

// Authorize implements Authorizer.
func (o OnlyRoot) Authorize(_ context.Context, r Request) error {
	if r.UID == 0 || r.UID == o.Also {
		return nil
	}
	return ErrNotAuthorized
}
