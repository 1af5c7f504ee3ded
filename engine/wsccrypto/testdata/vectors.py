#!/usr/bin/env python3
"""Makes vectors.txt: the Registration Protocol's cryptography computed without wpsd's code.

Python's integers, hashlib and hmac, and the openssl command for AES. Run it as
    python3 vectors.py > vectors.txt
"""
import hashlib, hmac, subprocess

P = int("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74"
        "020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437"
        "4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
        "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05"
        "98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB"
        "9ED529077096966D670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF", 16)


def seed(text, n):
    """n bytes that nobody chose."""
    return b"".join(hashlib.sha256(f"{text} {i}".encode()).digest() for i in range(n // 32 + 1))[:n]


def mac(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def number(n):
    return n.to_bytes(192, "big")


def aes(key, iv, plain):
    cmd = ["openssl", "enc", "-aes-128-cbc", "-nopad", "-K", key.hex(), "-iv", iv.hex()]
    return subprocess.run(cmd, input=plain, stdout=subprocess.PIPE, check=True).stdout


def show(name, value):
    print(f"{name} = {value.hex()}")


def short(text, of):
    """The first seeded private key whose result begins with a zero byte."""
    i = 0
    while True:
        x = seed(f"{text} {i}", 32)
        if of(int.from_bytes(x, "big"))[0] == 0:
            return x
        i += 1


print("# Made by vectors.py; do not edit.")
xe, xr = seed("enrollee", 32), seed("registrar", 192)
e, r = int.from_bytes(xe, "big"), int.from_bytes(xr, "big")
pke, pkr, z = number(pow(2, e, P)), number(pow(2, r, P)), number(pow(2, e * r, P))
show("private-e", xe)
show("private-r", xr)
show("public-e", pke)
show("public-r", pkr)
show("shared", z)

xs = short("short public key", lambda x: number(pow(2, x, P)))
s = int.from_bytes(xs, "big")
show("short-public-private", xs)
show("short-public", number(pow(2, s, P)))
show("short-public-shared", number(pow(2, s * e, P)))
xs = short("short shared secret", lambda x: number(pow(2, x * e, P)))
s = int.from_bytes(xs, "big")
show("short-shared-private", xs)
show("short-shared", number(pow(2, s * e, P)))

n1, n2, addr = seed("n1", 16), seed("n2", 16), bytes.fromhex("020000000300")
kdk = mac(hashlib.sha256(z).digest(), n1, addr, n2)
keys = b"".join(mac(kdk, i.to_bytes(4, "big"), b"Wi-Fi Easy and Secure Key Derivation", (640).to_bytes(4, "big"))
                for i in (1, 2, 3))
auth, wrap, emsk = keys[:32], keys[32:48], keys[48:80]
show("enrollee-nonce", n1)
show("registrar-nonce", n2)
show("enrollee-mac", addr)
show("auth-key", auth)
show("key-wrap-key", wrap)
show("emsk", emsk)

previous, body = seed("previous", 300), seed("body", 77)
show("previous", previous)
show("body", body)
show("authenticator", mac(auth, previous, body)[:8])

psk1, psk2 = mac(auth, b"1234")[:16], mac(auth, b"5670")[:16]
snonce = seed("snonce", 16)
show("psk1", psk1)
show("psk2", psk2)
show("psk-of-nothing", mac(auth)[:16])
show("snonce", snonce)
show("hash", mac(auth, snonce, psk1, pke, pkr))
show("hash-of-short-key", mac(auth, snonce, psk1, pke[1:], pkr))
show("public-key-hash", hashlib.sha256(pke).digest()[:20])

iv = seed("iv", 16)
show("iv", iv)
for n in (0, 3, 4, 20, 150):
    plain = seed("plain", n)
    clear = plain + bytes.fromhex("101e0008") + mac(auth, plain)[:8]
    pad = 16 - len(clear) % 16
    show(f"plain-{n}", plain)
    show(f"wrapped-{n}", iv + aes(wrap, iv, clear + bytes([pad] * pad)))
