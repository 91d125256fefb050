/* SPDX-License-Identifier: MIT */
#include "daemon/base/ids.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

enum {
    HEX_BYTES = 16,
    SECRET_BYTES = 32,
    ORGANIZATION_LENGTH = 26,
};

static char *ids_append(char *out, const char *text)
{
    size_t len = strlen(text);

    memcpy(out, text, len + 1);
    return out + len;
}

static void ids_append_hex(char *out, size_t count)
{
    unsigned char bytes[SECRET_BYTES];

    randombytes_buf(bytes, count);
    sodium_bin2hex(out, 2 * count + 1, bytes, count);
}

void ids_make_hex(char out[IDS_SIZE], const char *prefix)
{
    ids_append_hex(ids_append(out, prefix), HEX_BYTES);
}

void ids_make_secret(char out[IDS_SIZE])
{
    ids_append_hex(ids_append(out, "whsec_"), SECRET_BYTES);
}

void ids_make_organization(char out[IDS_SIZE])
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    char *at = ids_append(out, "org_");

    for (int i = 0; i < ORGANIZATION_LENGTH; i++)
        *at++ = digits[randombytes_uniform(sizeof(digits) - 1)];
    *at = '\0';
}

void ids_make_uuid(char out[IDS_SIZE])
{
    unsigned char b[HEX_BYTES];

    randombytes_buf(b, sizeof(b));
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(out, IDS_SIZE, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
}

/* ---- checks of the format */

static bool id_has_alphabet(const char *text, size_t len, const char *alphabet)
{
    return strspn(text, alphabet) == len && text[len] == '\0';
}

static bool id_has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool id_is_hex(const char *text, const char *prefix)
{
    return id_has_prefix(text, prefix) &&
           id_has_alphabet(text + strlen(prefix), 32, "0123456789abcdef");
}

bool id_is_organization(const char *text)
{
    return id_has_prefix(text, "org_") &&
           id_has_alphabet(text + 4, 26, "0123456789abcdefghjkmnpqrstvwxyz");
}

bool id_is_uuid(const char *text)
{
    static const char form[] = "00000000-0000-0000-0000-000000000000";

    for (size_t i = 0; i < sizeof(form) - 1; i++)
        if (form[i] == '-' ? text[i] != '-'
                           : text[i] == '\0' || strchr("0123456789abcdefABCDEF", text[i]) == NULL)
            return false;
    return text[sizeof(form) - 1] == '\0';
}
