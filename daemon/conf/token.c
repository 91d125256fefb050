/* SPDX-License-Identifier: MIT */
#include "daemon/conf/token.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "daemon/conf/secret.h"

struct token {
    unsigned char key[crypto_generichash_KEYBYTES]; /* at random */
    unsigned char hash[crypto_generichash_BYTES];
};

/* Of the same length whatever is shown, so that not even the token's length can be measured. */
static void token_hash_text(const struct token *token, const char *text, size_t len,
                            unsigned char out[crypto_generichash_BYTES])
{
    crypto_generichash(out, crypto_generichash_BYTES, (const unsigned char *)text, len, token->key,
                       sizeof(token->key));
}

/* What a header can hold without a doubt where it begins and ends. */
static bool token_text_is_usable(const char *text, char *why, size_t why_size)
{
    size_t len = strlen(text);

    if (len < TOKEN_LENGTH_MIN)
        snprintf(why, why_size,
                 "a token of %zu bytes can be guessed: expected %d or more; try: openssl rand "
                 "-hex 32",
                 len, TOKEN_LENGTH_MIN);
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~') {
            snprintf(why, why_size, "a token is printable ASCII without blanks");
            return false;
        }
    return len >= TOKEN_LENGTH_MIN;
}

struct token *token_open(const struct config_secret *where, char *why, size_t why_size)
{
    char *text = secret_read(where, why, why_size);
    struct token *token = NULL;

    if (text == NULL)
        return NULL;
    if (token_text_is_usable(text, why, why_size)) {
        if ((token = sodium_malloc(sizeof(*token))) == NULL) {
            snprintf(why, why_size, "out of memory");
        } else {
            randombytes_buf(token->key, sizeof(token->key));
            token_hash_text(token, text, strlen(text), token->hash);
        }
    }
    secret_free(&text);
    return token;
}

struct token *token_copy(const struct token *token)
{
    struct token *copy = sodium_malloc(sizeof(*copy));

    if (copy != NULL)
        *copy = *token;
    return copy;
}

void token_replace(struct token *token, const struct token *other)
{
    *token = *other;
}

void token_free(struct token **token)
{
    sodium_free(*token);
    *token = NULL;
}

bool token_matches(const struct token *token, const char *authorization, size_t len)
{
    static const char scheme[] = "Bearer ";
    unsigned char shown[crypto_generichash_BYTES];
    size_t at = sizeof(scheme) - 1;

    if (len < at || strncasecmp(authorization, scheme, at) != 0)
        return false;
    while (at < len && authorization[at] == ' ')
        at++;
    token_hash_text(token, authorization + at, len - at, shown);
    return sodium_memcmp(shown, token->hash, sizeof(shown)) == 0;
}
