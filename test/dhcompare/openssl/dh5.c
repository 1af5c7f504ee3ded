/*
 * Times Diffie-Hellman in the 1536-bit MODP group through libcrypto, with the calls that
 * wpa_supplicant 2.10 makes for it: DH_set0_pqg and DH_generate_key for a key pair, DH_compute_key
 * for a shared secret. OpenSSL 3 recognises the group and takes private keys of 200 bits.
 *
 * usage: dh5 MILLISECONDS
 * prints the library's version, the bits of a private key, and the CPU time of each in nanoseconds.
 */
#define OPENSSL_API_COMPAT 0x10101000L /* the DH_ functions are old, and are what is compared */
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/dh.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define KEY_SIZE 192

static void fail(const char *what)
{
	fprintf(stderr, "dh5: %s failed\n", what);
	exit(1);
}

static double cpu(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0)
		fail("clock_gettime");
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* A key pair from nothing, and its public key in the form that M1 carries. */
static DH *key_pair(unsigned char *public_key)
{
	DH *dh = DH_new();
	BIGNUM *p = BN_get_rfc3526_prime_1536(NULL), *q = BN_new(), *g = BN_new();
	const BIGNUM *y;

	if (!dh || !p || !q || !g || !BN_set_word(g, 2) || !BN_rshift1(q, p))
		fail("the group");
	if (!DH_set0_pqg(dh, p, q, g))
		fail("DH_set0_pqg");
	if (!DH_generate_key(dh))
		fail("DH_generate_key");
	DH_get0_key(dh, &y, NULL);
	if (BN_bn2binpad(y, public_key, KEY_SIZE) != KEY_SIZE)
		fail("BN_bn2binpad");
	return dh;
}

static void shared_secret(DH *dh, const unsigned char *peer, unsigned char *secret)
{
	BIGNUM *y = BN_bin2bn(peer, KEY_SIZE, NULL);

	if (!y || DH_compute_key(secret, y, dh) < 1)
		fail("DH_compute_key");
	BN_clear_free(y);
}

int main(int argc, char **argv)
{
	unsigned char own[KEY_SIZE], peer[KEY_SIZE], secret[KEY_SIZE];
	double budget = (argc > 1 ? atof(argv[1]) : 100) * 1e6, start, now;
	const BIGNUM *x;
	long n;
	DH *dh, *other = key_pair(peer);

	dh = key_pair(own);
	DH_get0_key(dh, NULL, &x);
	printf("version %s\n", OpenSSL_version(OPENSSL_VERSION));
	printf("bits %d\n", BN_num_bits(x));

	start = now = cpu();
	for (n = 0; now - start < budget; n++) {
		DH_free(dh);
		dh = key_pair(own);
		now = cpu();
	}
	printf("keypair %.0f\n", (now - start) / n);

	/* A run computes one secret with a fresh key; what a DH keeps for a second use is small. */
	start = now = cpu();
	for (n = 0; now - start < budget; n++) {
		shared_secret(dh, peer, secret);
		now = cpu();
	}
	printf("shared %.0f\n", (now - start) / n);
	DH_free(dh);
	DH_free(other);
	return 0;
}
