package wsc

// AssociationRequest is what a station says when it associates for a run.
type AssociationRequest struct {
	RequestType RequestType
	Version2    Version
}

// ParseAssociationRequest reads the data of the WSC element of an association or reassociation
// request.
func ParseAssociationRequest(b []byte) (*AssociationRequest, error) {
	var f fields
	f.read("Association Request", b)
	a := &AssociationRequest{RequestType: RequestType(f.get8(AttrRequestType)),
		Version2: f.wfa.version2}
	return whole(a, f.failed())
}

// Append appends the data for an association request.
func (a *AssociationRequest) Append(b []byte) []byte {
	b = append8(b, AttrVersion, uint8(Version10))
	b = append8(b, AttrRequestType, uint8(a.RequestType))
	return appendVersion2(b, a.Version2)
}

// AssociationResponse is an access point's answer to a station that associates for a run.
type AssociationResponse struct {
	ResponseType ResponseType
	Version2     Version
}

// ParseAssociationResponse reads the data of the WSC element of an association response.
func ParseAssociationResponse(b []byte) (*AssociationResponse, error) {
	var f fields
	f.read("Association Response", b)
	a := &AssociationResponse{ResponseType: ResponseType(f.get8(AttrResponseType)),
		Version2: f.wfa.version2}
	return whole(a, f.failed())
}

// Append appends the data for an association response.
func (a *AssociationResponse) Append(b []byte) []byte {
	b = append8(b, AttrVersion, uint8(Version10))
	b = append8(b, AttrResponseType, uint8(a.ResponseType))
	return appendVersion2(b, a.Version2)
}
