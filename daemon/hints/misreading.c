/* SPDX-License-Identifier: MIT
 *
 * The library reads a secret as the scheme says, and refuses one with white space at an end. Any
 * bytes can be the key of a scheme whose secret is hex: so the scheme is described once more, as
 * one.
 */
#include "daemon/hints/misreading.h"

#include <stdbool.h>
#include <string.h>

#include <sodium.h>

enum {
    KEY_MAX = HOOKLINE_SECRET_LENGTH_MAX / 2, /* bytes, so that their hex is a secret */
};

enum reading {
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

struct dialect {
    char text[1024];
    char prefix[64]; /* of the secret, or the usual one */
};

struct key {
    unsigned char bytes[KEY_MAX];
    size_t len;
    char hex[2 * KEY_MAX + 1];
};

/* ---- the description */

/* The next word of a clause, with its length; *clause goes behind it. */
static const char *next_word(const char **clause, const char *end, size_t *len)
{
    static const char blanks[] = " \t\r";
    const char *word;

    while (*clause < end && strchr(blanks, **clause) != NULL)
        ++*clause;
    word = *clause;
    while (*clause < end && strchr(blanks, **clause) == NULL)
        ++*clause;
    *len = (size_t)(*clause - word);
    return word;
}

/* If so, the prefix that it names replaces the usual one. */
static bool is_about_secret(const char *clause, const char *end, struct dialect *d)
{
    static const char keyword[] = "secret";
    size_t len;
    const char *word = next_word(&clause, end, &len);

    if (len != sizeof(keyword) - 1 || memcmp(word, keyword, len) != 0)
        return false;
    next_word(&clause, end, &len);
    word = next_word(&clause, end, &len);
    if (len > 0 && len < sizeof(d->prefix)) {
        memcpy(d->prefix, word, len);
        d->prefix[len] = '\0';
    }
    return true;
}

/* False if it is too long, which the library would not take either. */
static bool make_dialect(struct dialect *d, const char *description)
{
    static const char secret[] = "secret hex";
    size_t used = 0;

    *d = (struct dialect){.prefix = "whsec_"};
    while (*description != '\0') {
        size_t len = strcspn(description, ";\n");

        if (!is_about_secret(description, description + len, d)) {
            if (used + len + 1 + sizeof(secret) > sizeof(d->text))
                return false;
            memcpy(d->text + used, description, len);
            used += len;
            d->text[used++] = ';';
        }
        description += len;
        if (*description != '\0')
            description++;
    }
    memcpy(d->text + used, secret, sizeof(secret));
    return true;
}

/* ---- the key */

static bool join(struct key *key, const char *first, const char *second)
{
    size_t len = strlen(first), more = strlen(second);

    if (len > KEY_MAX || more > KEY_MAX - len)
        return false;
    memcpy(key->bytes, first, len);
    memcpy(key->bytes + len, second, more);
    key->len = len + more;
    return true;
}

static bool decode_base64(struct key *key, const char *text, int variant)
{
    size_t len = strlen(text);

    while (len > 0 && text[len - 1] == '=')
        len--;
    return sodium_base642bin(key->bytes, KEY_MAX, text, len, NULL, &key->len, NULL, variant) == 0;
}

static bool decode_hex(struct key *key, const char *text)
{
    return sodium_hex2bin(key->bytes, KEY_MAX, text, strlen(text), NULL, &key->len, NULL) == 0;
}

static bool read_key(struct key *key, enum reading how, const char *secret, const char *prefix)
{
    bool has_prefix = strncmp(secret, prefix, strlen(prefix)) == 0;
    const char *bare = has_prefix ? secret + strlen(prefix) : secret;

    switch (how) {
    case WITH_LF:
        return join(key, secret, "\n");
    case WITH_CRLF:
        return join(key, secret, "\r\n");
    case AS_TEXT:
        return join(key, secret, "");
    case WITHOUT_PREFIX:
        return has_prefix && join(key, bare, "");
    case WITH_PREFIX:
        return !has_prefix && join(key, prefix, secret);
    case AS_BASE64:
        return decode_base64(key, bare, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    case AS_BASE64URL:
        return decode_base64(key, bare, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    case AS_HEX:
        return decode_hex(key, bare);
    case READINGS:
        break;
    }
    return false;
}

/* An empty key would verify everybody's signatures. The library refuses that, too. */
static bool fits(const struct dialect *d, struct key *key, const hookline_request *request,
                 int64_t now)
{
    hookline_verifier *verifier;
    bool fits;

    sodium_bin2hex(key->hex, sizeof(key->hex), key->bytes, key->len);
    if (key->len == 0 || hookline_verifier_new_custom(&verifier, d->text, key->hex, NULL, 0) < 0)
        return false;
    fits = hookline_verify(verifier, request, now).secret >= 0;
    hookline_verifier_free(&verifier);
    return fits;
}

enum misreading misreading_find(const char *description, const char *secret,
                                const hookline_request *request, int64_t now)
{
    enum misreading found = MISREADING_NONE;
    struct dialect d;
    struct key *key;

    if (sodium_init() < 0 || !make_dialect(&d, description) ||
        (key = sodium_malloc(sizeof(*key))) == NULL)
        return MISREADING_NONE;
    for (int how = 0; how < READINGS && found == MISREADING_NONE; how++)
        if (read_key(key, (enum reading)how, secret, d.prefix) && fits(&d, key, request, now))
            found = how <= WITH_CRLF ? MISREADING_LINE_END : MISREADING_DECODING;
    sodium_free(key);
    return found;
}
