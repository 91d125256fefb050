/* SPDX-License-Identifier: MIT */
#include "verifier.h"

#include <sodium.h>

#include "randomness.h"
#include "secret.h"

static int verifier_add_secret(hookline_verifier *v, const char *secret)
{
    unsigned char *key;
    size_t len;
    int code = HOOKLINE_BAD_SECRET;

    if (v->keys == HOOKLINE_SECRETS_MAX)
        return HOOKLINE_BAD_SECRET;
    if ((key = sodium_malloc(HOOKLINE_SECRET_LENGTH_MAX)) == NULL)
        return HOOKLINE_NO_MEMORY;
    if (hookline_secret_read(&v->scheme, secret, key, &len) == NULL) {
        if (len < v->key_bytes)
            v->key_bytes = len;
        hookline_mac_key_set(&v->key[v->keys++], key, len);
        code = 0;
    }
    sodium_free(key);
    return code;
}

const char *hookline_secret_problem(const char *description, const char *secret)
{
    struct {
        struct scheme scheme;
        unsigned char key[HOOKLINE_SECRET_LENGTH_MAX];
    } * trial;
    const char *problem = NULL;
    size_t len;

    if (description == NULL || !hookline_randomness_exists() || sodium_init() < 0 ||
        (trial = sodium_malloc(sizeof(*trial))) == NULL)
        return NULL;
    if (hookline_scheme_parse(&trial->scheme, description, NULL, 0))
        problem = hookline_secret_read(&trial->scheme, secret, trial->key, &len);
    sodium_free(trial);
    return problem;
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
    if (!hookline_randomness_exists() || sodium_init() < 0)
        return HOOKLINE_NO_CRYPTO;
    if ((v = sodium_malloc(sizeof(*v))) == NULL)
        return HOOKLINE_NO_MEMORY;
    if (why == NULL)
        why_size = 0;
    v->keys = 0;
    v->key_bytes = HOOKLINE_SECRET_LENGTH_MAX;
    code = hookline_scheme_parse(&v->scheme, description, why, why_size)
               ? verifier_add_secret(v, secret)
               : HOOKLINE_BAD_SCHEME;
    if (code != 0) {
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
