// Package keypair makes the Diffie-Hellman key pairs of runs before they are needed.
package keypair
