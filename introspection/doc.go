package introspection

import "strings"

// parseDoc takes a comment apart; Doc says how it is written.
func parseDoc(comment string) Doc {
	var d Doc
	for _, paragraph := range statements(comment) {
		switch {
		case strings.HasPrefix(paragraph, "@"):
			d.Args = append(d.Args, parseDocArg(paragraph))
		case strings.HasPrefix(paragraph, "Since: "):
			d.Since = strings.TrimPrefix(paragraph, "Since: ")
		case strings.HasPrefix(paragraph, "Access: "):
			d.Access = strings.TrimPrefix(paragraph, "Access: ")
		case strings.HasPrefix(paragraph, "Errors: "):
			for name := range strings.SplitSeq(strings.TrimPrefix(paragraph, "Errors: "), ",") {
				d.Errors = append(d.Errors, strings.TrimSpace(name))
			}
		case d.Text == "":
			d.Text = paragraph
		default:
			d.Text += "\n\n" + paragraph
		}
	}
	return d
}

// statements joins the lines of a comment that belong together: a paragraph of text up to an empty
// line, or a line that begins with a mark and those that follow it further to the right.
func statements(comment string) []string {
	var list []string
	fresh := true
	for line := range strings.Lines(comment) {
		line = strings.TrimSpace(line)
		marked := strings.HasPrefix(line, "@") || strings.HasPrefix(line, "Access: ") ||
			strings.HasPrefix(line, "Errors: ") || strings.HasPrefix(line, "Since: ")
		switch {
		case line == "":
			fresh = true
		case fresh || marked:
			list = append(list, line)
			fresh = false
		default:
			list[len(list)-1] += " " + line
		}
	}
	return list
}

// parseDocArg reads "@name: text" or "@name.key: (type) text".
func parseDocArg(s string) DocArg {
	name, text, _ := strings.Cut(strings.TrimPrefix(s, "@"), ":")
	text = strings.TrimSpace(text)
	a := DocArg{Text: text}
	a.Name, a.Key, _ = strings.Cut(name, ".")
	if rest, ok := strings.CutPrefix(text, "("); ok && a.Key != "" {
		a.Type, a.Text, _ = strings.Cut(rest, ")")
		a.Text = strings.TrimSpace(a.Text)
	}
	return a
}
