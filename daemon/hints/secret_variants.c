/* SPDX-License-Identifier: MIT
 *
 * The library decodes a secret as the scheme says and rejects white space at its ends. To try
 * any key, the scheme's description is rewritten with `secret hex`, and the key is passed as hex.
 */
#include "daemon/hints/secret_variants.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "daemon/hints/clause.h"

enum {
    KEY_MAX = HOOKLINE_SECRET_LENGTH_MAX / 2, /* bytes; twice as many hex digits */
};

enum secret_variant_reading {
    WITH_LF,
    WITH_CRLF,
    AS_TEXT,
    WITHOUT_PREFIX,
    WITH_PREFIX,
    AS_BASE64,
    AS_BASE64URL,
    AS_HEX,
    READINGS,
};

struct secret_variant_scheme {
    char text[DESCRIPTION_SIZE];
    char prefix[64]; /* prefix of the secret, or the usual one */
};

struct secret_variant_key {
    unsigned char bytes[KEY_MAX];
    size_t len;
    char hex[2 * KEY_MAX + 1];
};

/* ---- description */

/* Returns false if the description is too long, which the library rejects, too. */
static bool secret_variant_make_scheme(struct secret_variant_scheme *d, const char *description)
{
    struct clause secret;

    *d = (struct secret_variant_scheme){.prefix = "whsec_"};
    if (clause_find(description, "secret", NULL, &secret) && secret.count > 2 &&
        secret.words[2].len < sizeof(d->prefix))
        snprintf(d->prefix, sizeof(d->prefix), "%.*s", (int)secret.words[2].len,
                 secret.words[2].base);
    return clause_replace(description, "secret", "secret hex", d->text);
}

/* ---- key */

static bool secret_variant_join(struct secret_variant_key *key, const char *first,
                                const char *second)
{
    size_t len = strlen(first), more = strlen(second);

    if (len > KEY_MAX || more > KEY_MAX - len)
        return false;
    memcpy(key->bytes, first, len);
    memcpy(key->bytes + len, second, more);
    key->len = len + more;
    return true;
}

static bool secret_variant_from_base64(struct secret_variant_key *key, const char *text,
                                       int variant)
{
    size_t len = strlen(text);

    while (len > 0 && text[len - 1] == '=')
        len--;
    return sodium_base642bin(key->bytes, KEY_MAX, text, len, NULL, &key->len, NULL, variant) == 0;
}

static bool secret_variant_from_hex(struct secret_variant_key *key, const char *text)
{
    return sodium_hex2bin(key->bytes, KEY_MAX, text, strlen(text), NULL, &key->len, NULL) == 0;
}

static bool secret_variant_make_key(struct secret_variant_key *key, enum secret_variant_reading how,
                                    const char *secret, const char *prefix)
{
    bool has_prefix = strncmp(secret, prefix, strlen(prefix)) == 0;
    const char *bare = has_prefix ? secret + strlen(prefix) : secret;

    switch (how) {
    case WITH_LF:
        return secret_variant_join(key, secret, "\n");
    case WITH_CRLF:
        return secret_variant_join(key, secret, "\r\n");
    case AS_TEXT:
        return secret_variant_join(key, secret, "");
    case WITHOUT_PREFIX:
        return has_prefix && secret_variant_join(key, bare, "");
    case WITH_PREFIX:
        return !has_prefix && secret_variant_join(key, prefix, secret);
    case AS_BASE64:
        return secret_variant_from_base64(key, bare, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    case AS_BASE64URL:
        return secret_variant_from_base64(key, bare, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    case AS_HEX:
        return secret_variant_from_hex(key, bare);
    case READINGS:
        break;
    }
    return false;
}

bool secret_variants_fit(const char *description, const char *secret,
                         const hookline_request *request, int64_t now)
{
    hookline_verifier *verifier;
    bool fits;

    if (hookline_verifier_new_custom(&verifier, description, secret, NULL, 0) < 0)
        return false;
    fits = hookline_verify(verifier, request, now).secret >= 0;
    hookline_verifier_free(&verifier);
    return fits;
}

/* Rejects an empty key, because anyone can sign with it. */
static bool secret_variant_fits(const struct secret_variant_scheme *d,
                                struct secret_variant_key *key, const hookline_request *request,
                                int64_t now)
{
    sodium_bin2hex(key->hex, sizeof(key->hex), key->bytes, key->len);
    return key->len > 0 && secret_variants_fit(d->text, key->hex, request, now);
}

enum diagnose_cause secret_variants_find(const char *description, const char *secret,
                                         const hookline_request *request, int64_t now)
{
    enum diagnose_cause found = DIAGNOSE_NONE;
    struct secret_variant_scheme d;
    struct secret_variant_key *key;

    if (sodium_init() < 0 || !secret_variant_make_scheme(&d, description) ||
        (key = sodium_malloc(sizeof(*key))) == NULL)
        return DIAGNOSE_NONE;
    for (int how = 0; how < READINGS && found == DIAGNOSE_NONE; how++)
        if (secret_variant_make_key(key, (enum secret_variant_reading)how, secret, d.prefix) &&
            secret_variant_fits(&d, key, request, now))
            found = how <= WITH_CRLF ? DIAGNOSE_SECRET_NEWLINE : DIAGNOSE_SECRET_DECODING;
    sodium_free(key);
    return found;
}
