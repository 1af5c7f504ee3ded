package shape

import (
	"bufio"
	"bytes"
	"go/scanner"
	"go/token"
	"os"
	"unicode/utf8"
)

// columns is the width of a line; a tab is four.
func columns(line []byte) int {
	return utf8.RuneCount(line) + 3*bytes.Count(line, []byte("\t"))
}

// WideLines gives the numbers of a Go file's lines over most columns that are not so wide because of
// one string, which has to be in one piece to be found.
func WideLines(path string, most int) ([]int, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	longest := longestStrings(path, source)
	var wide []int
	number := 0
	lines := bufio.NewScanner(bytes.NewReader(source))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		number++
		if width := columns(lines.Bytes()); width > most && width-longest[number] > most*2/3 {
			wide = append(wide, number)
		}
	}
	return wide, lines.Err()
}

// longestStrings gives the width of the longest string that begins on each line.
func longestStrings(path string, source []byte) map[int]int {
	set := token.NewFileSet()
	file := set.AddFile(path, -1, len(source))
	var s scanner.Scanner
	s.Init(file, source, nil, 0)
	longest := map[int]int{}
	for {
		pos, tok, text := s.Scan()
		switch tok {
		case token.EOF:
			return longest
		case token.STRING:
			line := set.Position(pos).Line
			if first, _, several := bytes.Cut([]byte(text), []byte("\n")); several {
				for n, part := range bytes.Split([]byte(text), []byte("\n")) {
					longest[line+n] = max(longest[line+n], columns(part))
				}
			} else {
				longest[line] = max(longest[line], columns(first))
			}
		}
	}
}
