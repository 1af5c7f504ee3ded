package shape

import "go/types"

// Interfaces gives, for each interface of ours with a name, how many methods it has and which types
// have them all. Methods are told apart by their names, which is enough for wide ones. Tests are
// not looked at: what only a fake of theirs implements beside the real type stands in the way of
// whoever reads, and the fake does not prove that the real one does as it says.
func Interfaces(all []*Package) map[string]Implemented {
	found := map[string]Implemented{}
	for _, p := range all {
		for _, name := range p.types.Scope().Names() {
			i, ok := named(p, name).(*types.Interface)
			if !ok || i.NumMethods() == 0 || !i.IsMethodSet() {
				continue
			}
			found[p.Path+"."+name] = Implemented{Methods: i.NumMethods(), By: implementers(all, i)}
		}
	}
	return found
}

// Implemented says how wide an interface is and who implements it.
type Implemented struct {
	Methods int
	By      []string
}

// named is what a name of a package stands for, if it is that of a type; else nil.
func named(p *Package, name string) types.Type {
	t, ok := p.types.Scope().Lookup(name).(*types.TypeName)
	if !ok {
		return nil
	}
	return t.Type().Underlying()
}

// implementers are the types that have all methods of an interface.
func implementers(all []*Package, i *types.Interface) (list []string) {
	for _, p := range all {
		for _, name := range p.types.Scope().Names() {
			switch named(p, name).(type) {
			case nil, *types.Interface:
				continue
			}
			methods := types.NewMethodSet(types.NewPointer(p.types.Scope().Lookup(name).Type()))
			has := true
			for n := range i.NumMethods() {
				m := i.Method(n)
				has = has && methods.Lookup(m.Pkg(), m.Name()) != nil
			}
			if has {
				list = append(list, p.Path+"."+name)
			}
		}
	}
	return list
}
