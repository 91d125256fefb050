/* SPDX-License-Identifier: MIT */
#include "verifier.h"

#include <string.h>

#include <sodium.h>

static bool verifier_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Rejects an empty key, which anyone can sign with; white space at an end, a copying mistake;
 * whpk_, a public key; and whsk_, a key of another algorithm. */
static bool verifier_secret_is_usable(const char *secret, size_t len)
{
    return len > 0 && len <= HOOKLINE_SECRET_LENGTH_MAX && !verifier_is_space(secret[0]) &&
           !verifier_is_space(secret[len - 1]) && strncmp(secret, "whpk_", 5) != 0 &&
           strncmp(secret, "whsk_", 5) != 0;
}

static int verifier_add_secret(hookline_verifier *v, const char *secret)
{
    const char *prefix = v->scheme.secret.prefix;
    hookline_bytes text = {secret, secret == NULL ? 0 : strlen(secret)};
    unsigned char *key;
    size_t len;
    int code = HOOKLINE_BAD_SECRET;

    if (!verifier_secret_is_usable(text.base, text.len) || v->keys == HOOKLINE_SECRETS_MAX)
        return HOOKLINE_BAD_SECRET;
    if (prefix != NULL && strncmp(secret, prefix, strlen(prefix)) == 0)
        text = (hookline_bytes){text.base + strlen(prefix), text.len - strlen(prefix)};
    if ((key = sodium_malloc(HOOKLINE_SECRET_LENGTH_MAX)) == NULL)
        return HOOKLINE_NO_MEMORY;
    if (hookline_codec_decode_secret(v->scheme.secret.encoding, text, key,
                                     HOOKLINE_SECRET_LENGTH_MAX, &len) &&
        len > 0) {
        if (v->keys == 0 || len < v->key_bytes)
            v->key_bytes = len;
        hookline_mac_key_set(&v->key[v->keys++], key, len);
        code = 0;
    }
    sodium_free(key);
    return code;
}

int hookline_verifier_new_custom(hookline_verifier **out, const char *description,
                                 const char *secret, char *why, size_t why_size)
{
    hookline_verifier *v;
    int code;

    if (out == NULL)
        return HOOKLINE_BAD_CALL;
    *out = NULL;
    if (description == NULL)
        return HOOKLINE_BAD_CALL;
    if (sodium_init() < 0)
        return HOOKLINE_NO_CRYPTO;
    if ((v = sodium_malloc(sizeof(*v))) == NULL)
        return HOOKLINE_NO_MEMORY;
    if (why == NULL)
        why_size = 0;
    v->keys = 0;
    code = hookline_scheme_parse(&v->scheme, description, why, why_size)
               ? verifier_add_secret(v, secret)
               : HOOKLINE_BAD_SCHEME;
    if (code < 0) {
        sodium_free(v);
        return code;
    }
    v->past_s = v->future_s = v->scheme.tolerance;
    sodium_mprotect_readonly(v);
    *out = v;
    return 0;
}

int hookline_verifier_new(hookline_verifier **out, const char *scheme, const char *secret)
{
    const hookline_scheme *found = hookline_scheme_find(scheme);

    if (out != NULL)
        *out = NULL;
    if (out == NULL || scheme == NULL)
        return HOOKLINE_BAD_CALL;
    if (found == NULL)
        return HOOKLINE_BAD_SCHEME;
    return hookline_verifier_new_custom(out, found->description, secret, NULL, 0);
}

int hookline_verifier_add_secret(hookline_verifier *v, const char *secret)
{
    int code;

    if (v == NULL)
        return HOOKLINE_BAD_CALL;
    sodium_mprotect_readwrite(v);
    code = verifier_add_secret(v, secret);
    sodium_mprotect_readonly(v);
    return code;
}

int hookline_verifier_set_tolerance(hookline_verifier *v, int64_t past_s, int64_t future_s)
{
    if (v == NULL)
        return HOOKLINE_BAD_CALL;
    if (past_s < 0 || past_s > HOOKLINE_TOLERANCE_MAX || future_s < 0 ||
        future_s > HOOKLINE_TOLERANCE_MAX)
        return HOOKLINE_BAD_TOLERANCE;
    sodium_mprotect_readwrite(v);
    v->past_s = past_s;
    v->future_s = future_s;
    sodium_mprotect_readonly(v);
    return 0;
}

size_t hookline_verifier_key_bytes(const hookline_verifier *v)
{
    return v == NULL ? 0 : v->key_bytes;
}

void hookline_verifier_free(hookline_verifier **v)
{
    if (v == NULL)
        return;
    sodium_free(*v);
    *v = NULL;
}
