/* SPDX-License-Identifier: MIT */
#include "mac.h"

#include <string.h>

#include <openssl/crypto.h>
#include <sodium.h>

static void mac_start_block(SHA256_CTX *state, unsigned char block[SHA256_CBLOCK],
                            unsigned char pad)
{
    for (size_t i = 0; i < SHA256_CBLOCK; i++)
        block[i] ^= pad;
    SHA256_Init(state);
    SHA256_Update(state, block, SHA256_CBLOCK);
}

void hookline_mac_key_set(struct mac_key *key, const unsigned char *bytes, size_t len)
{
    unsigned char block[SHA256_CBLOCK] = {0};

    if (len > sizeof(block))
        SHA256(bytes, len, block);
    else
        memcpy(block, bytes, len);
    mac_start_block(&key->inner, block, 0x36);
    mac_start_block(&key->outer, block, 0x36 ^ 0x5c);
    sodium_memzero(block, sizeof(block));
}

void hookline_mac_compute(const struct mac_key *key, const hookline_bytes *part, size_t parts,
                          unsigned char mac[MAC_SIZE])
{
    SHA256_CTX state = key->inner;

    for (size_t i = 0; i < parts; i++)
        SHA256_Update(&state, part[i].base, part[i].len);
    SHA256_Final(mac, &state);
    state = key->outer;
    SHA256_Update(&state, mac, MAC_SIZE);
    SHA256_Final(mac, &state);
    sodium_memzero(&state, sizeof(state));
}

int hookline_mac_equal(const unsigned char a[MAC_SIZE], const unsigned char b[MAC_SIZE])
{
    return CRYPTO_memcmp(a, b, MAC_SIZE) == 0;
}
