/* SPDX-License-Identifier: MIT */
#include "daemon/base/identity.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

enum {
    HEX_BYTES = 16,
    SECRET_BYTES = 32,
    ORGANIZATION_LENGTH = 26,
};

static char *append(char *out, const char *text)
{
    size_t len = strlen(text);

    memcpy(out, text, len + 1);
    return out + len;
}

static void append_hex(char *out, size_t count)
{
    unsigned char bytes[SECRET_BYTES];

    randombytes_buf(bytes, count);
    sodium_bin2hex(out, 2 * count + 1, bytes, count);
}

void identity_hex(char out[IDENTITY_SIZE], const char *prefix)
{
    append_hex(append(out, prefix), HEX_BYTES);
}

void identity_secret(char out[IDENTITY_SIZE])
{
    append_hex(append(out, "whsec_"), SECRET_BYTES);
}

void identity_organization(char out[IDENTITY_SIZE])
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    char *at = append(out, "org_");

    for (int i = 0; i < ORGANIZATION_LENGTH; i++)
        *at++ = digits[randombytes_uniform(sizeof(digits) - 1)];
    *at = '\0';
}

void identity_uuid(char out[IDENTITY_SIZE])
{
    unsigned char b[HEX_BYTES];

    randombytes_buf(b, sizeof(b));
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(out, IDENTITY_SIZE,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
}
