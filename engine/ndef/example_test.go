package ndef_test

import (
	"encoding/hex"
	"fmt"
	"log"

	"wpsd/engine/ndef"
)

// A tag was touched; a program that reads NFC gives its bytes.
func ExampleParse() {
	b, err := hex.DecodeString("d217446170706c69636174696f6e2f766e642e7766612e777363" +
		"102c0036691f6c35ac5ff23180ffbf899bf3e563d047aa68bfab" +
		"cb7fe7a25053f8f5bf822660c21e66d8a58d3393bb78494e239031d6aabcb90c" + "1049000600372a000120")
	if err != nil {
		log.Fatal(err)
	}
	tag, err := ndef.Parse(b)
	if err != nil {
		log.Fatal(err)
	}
	defer tag.Wipe()
	if p := tag.Password; p != nil {
		fmt.Println(p.ID, p.Password.Len(), p.Password)
	}
	// Output: NFC token 0xbfab 32 [secret]
}
