/* SPDX-License-Identifier: MIT
 *
 * Why a secret is refused. The checks know the text alone, never how long it took to compare.
 */
#include "secret.h"

#include <string.h>

#include <sodium.h>

#include <hookline.h>

static bool secret_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool secret_begins(const char *secret, const char *prefix)
{
    return strncmp(secret, prefix, strlen(prefix)) == 0;
}

/* Returns true for a DER sequence that fills the bytes and begins with a sequence or an integer. */
static bool secret_is_der_sequence(const unsigned char *bytes, size_t len)
{
    size_t head, content;

    if (len < 5 || bytes[0] != 0x30)
        return false;
    if (bytes[1] == 0x82) {
        head = 4;
        content = (size_t)(bytes[2] << 8 | bytes[3]);
    } else if (bytes[1] == 0x81) {
        head = 3;
        content = bytes[2];
    } else {
        head = 2;
        content = bytes[1];
    }
    return head + content == len && (bytes[head] == 0x30 || bytes[head] == 0x02);
}

/* Returns true for base64, after whsec_ or alone, of DER: a SubjectPublicKeyInfo, a certificate, a
 * private key. A random secret is one by less than one chance in a million. */
static bool secret_is_der(const char *secret)
{
    unsigned char bytes[HOOKLINE_SECRET_LENGTH_MAX];
    static const int variants[] = {
        sodium_base64_VARIANT_ORIGINAL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING,
        sodium_base64_VARIANT_URLSAFE, sodium_base64_VARIANT_URLSAFE_NO_PADDING};
    bool found = false;

    if (secret_begins(secret, "whsec_"))
        secret += strlen("whsec_");
    for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]) && !found; i++) {
        size_t len;

        found = sodium_base642bin(bytes, sizeof(bytes), secret, strlen(secret), " \t\r\n", &len,
                                  NULL, variants[i]) == 0 &&
                secret_is_der_sequence(bytes, len);
    }
    sodium_memzero(bytes, sizeof(bytes));
    return found;
}

/* Returns true for a key of a signature algorithm: its public half is known to everybody, who could
 * compute a MAC with it. */
static bool secret_is_key_pair(const char *secret)
{
    return secret_begins(secret, "whpk_") || secret_begins(secret, "whsk_") ||
           secret_begins(secret, "ssh-") || secret_begins(secret, "ecdsa-sha2-") ||
           strstr(secret, "<RSAKeyValue>") != NULL || strstr(secret, "-----BEGIN ") != NULL ||
           (secret[0] == '{' && strstr(secret, "\"kty\"") != NULL) || secret_is_der(secret);
}

static const char *secret_undecodable(const struct scheme *s)
{
    return s->secret.encoding == ENCODING_HEX
               ? "the secret is not hex, as the scheme says: copy it again"
               : "the secret is not base64, as the scheme says: copy it again";
}

const char *hookline_secret_read(const struct scheme *s, const char *secret,
                                 unsigned char key[HOOKLINE_SECRET_LENGTH_MAX], size_t *len)
{
    hookline_bytes text = {secret, secret == NULL ? 0 : strlen(secret)};
    const char *prefix = s->secret.prefix;

    if (text.len == 0)
        return "the secret is empty";
    if (secret_is_space(secret[0]) || secret_is_space(secret[text.len - 1]))
        return "the secret begins or ends with white space: remove it";
    if (secret_is_key_pair(secret))
        return "the secret is a key of a signature algorithm (PEM, DER, JWK, whpk_, whsk_), which "
               "others may know: this scheme needs the secret that the sender shares with you";
    if (text.len > HOOKLINE_SECRET_LENGTH_MAX)
        return "the secret is longer than 512 bytes";
    if (prefix != NULL && secret_begins(secret, prefix))
        text = (hookline_bytes){text.base + strlen(prefix), text.len - strlen(prefix)};
    if (!hookline_codec_decode_secret(s->secret.encoding, text, key, HOOKLINE_SECRET_LENGTH_MAX,
                                      len))
        return secret_undecodable(s);
    return *len == 0 ? "the secret is empty behind its prefix" : NULL;
}
