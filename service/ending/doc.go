// Package ending knows what errors mean for a session: which Reason and which sentence of package
// outcome they are, and what details of them a person needs. The causes that procedures end with are
// here, too.
package ending
