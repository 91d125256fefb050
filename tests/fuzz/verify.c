/* SPDX-License-Identifier: MIT
 *
 * Fuzzes hookline_verify() with the built-in schemes. An input is text:
 *
 *     <the scheme's index, one digit><now, in decimal>
 *     Name: value
 *     ...
 *     <an empty line>
 *     <the body>
 *
 * A verdict's fields must agree with its reason. An accepted request has the MAC that OpenSSL's
 * HMAC() computes; a request with a changed body is never accepted.
 */
#include <hookline.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "tests/fuzz/fuzz.h"

enum {
    REQUEST_HEAD_FIELDS_MAX = 12,
    SCHEMES_MAX = 16,
    SECRETS = 2
};

struct input {
    size_t scheme;
    int64_t now;
    hookline_header header[REQUEST_HEAD_FIELDS_MAX];
    hookline_header_list headers;
    hookline_bytes body;
};

static const char *const keys[SECRETS] = {"the first secret", "the second one!!"};

/* The same keys in the base64 of Standard Webhooks. */
static const char *const keys_in_base64[SECRETS] = {"whsec_dGhlIGZpcnN0IHNlY3JldA==",
                                                    "whsec_dGhlIHNlY29uZCBvbmUhIQ=="};

static bool signs_like_standard(const char *scheme)
{
    return strcmp(scheme, "standard") == 0 || strcmp(scheme, "svix") == 0;
}

/* Made once, because the guard pages around each verifier are slow to set up. */
static const hookline_verifier *verifier_of(size_t index)
{
    static hookline_verifier *made[SCHEMES_MAX];
    const char *name = hookline_scheme_at(index)->name;
    const char *const *secret = signs_like_standard(name) ? keys_in_base64 : keys;

    fuzz_check(index < SCHEMES_MAX);
    if (made[index] == NULL) {
        fuzz_check(hookline_verifier_new(&made[index], name, secret[0]) == 0);
        fuzz_check(hookline_verifier_add_secret(made[index], secret[1]) == 0);
    }
    return made[index];
}

static size_t count_schemes(void)
{
    size_t n = 0;

    while (hookline_scheme_at(n) != NULL)
        n++;
    return n;
}

/* A separate allocation lets a sanitizer detect reads beyond the end. */
static char *copy(const char *bytes, size_t len)
{
    char *block = malloc(len + 1);

    fuzz_check(block != NULL);
    memcpy(block, bytes, len);
    block[len] = '\0';
    return block;
}

static hookline_bytes exact_copy(const char *bytes, size_t len)
{
    char *block = malloc(len > 0 ? len : 1);

    fuzz_check(block != NULL);
    memcpy(block, bytes, len);
    return (hookline_bytes){block, len};
}

static const char *line_end(const char *from, const char *end)
{
    const char *at = memchr(from, '\n', (size_t)(end - from));

    return at == NULL ? end : at;
}

static void add_header(struct input *in, const char *line, const char *end)
{
    const char *colon = memchr(line, ':', (size_t)(end - line));

    if (colon == NULL || in->headers.count == REQUEST_HEAD_FIELDS_MAX)
        return;
    in->header[in->headers.count].name = copy(line, (size_t)(colon - line));
    for (colon++; colon < end && *colon == ' ';)
        colon++;
    in->header[in->headers.count].value = exact_copy(colon, (size_t)(end - colon));
    in->headers.count++;
}

static bool read_input(struct input *in, const char *text, size_t size)
{
    const char *end = text + size, *at = line_end(text, end);
    char *first;

    if (size < 2 || !isdigit((unsigned char)text[0]))
        return false;
    *in = (struct input){.scheme = (size_t)(text[0] - '0') % count_schemes()};
    first = copy(text + 1, (size_t)(at - text - 1));
    in->now = strtoll(first, NULL, 10);
    free(first);
    while (at < end) {
        const char *line = at + 1;

        at = line_end(line, end);
        if (at == line)
            break;
        add_header(in, line, at);
    }
    if (at < end)
        at++;
    in->body = exact_copy(at, (size_t)(end - at));
    in->headers.entries = in->header;
    return true;
}

static void free_input(struct input *in)
{
    for (size_t i = 0; i < in->headers.count; i++) {
        free((char *)in->header[i].name);
        free((char *)in->header[i].value.base);
    }
    free((char *)in->body.base);
}

static void check_fields(const struct input *in, const hookline_result *r)
{
    bool accepted = hookline_accepted(*r);
    bool authentic = r->secret >= 0;

    fuzz_check(r->reason != HOOKLINE_NOT_CHECKED);
    fuzz_check(accepted == (r->reason == HOOKLINE_VERIFIED));
    fuzz_check(strcmp(hookline_code_name(r->reason), "unknown") != 0);
    fuzz_check(r->payload.base == (accepted ? in->body.base : NULL));
    fuzz_check(r->payload.len == (accepted ? in->body.len : 0));
    fuzz_check(authentic || (r->signed_at == -1 && r->id.len == 0 && !r->fresh && !accepted));
    fuzz_check(!accepted || r->signed_at == -1 || r->fresh);
    fuzz_check(!accepted || r->signed_at == -1 ||
               (in->now - r->signed_at <= HOOKLINE_TOLERANCE_DEFAULT &&
                r->signed_at - in->now <= HOOKLINE_TOLERANCE_DEFAULT));
}

/* A second implementation of each scheme's signed content. */
static size_t write_signed_start(const char *scheme, const hookline_result *r, char *out,
                                 size_t size)
{
    if (strcmp(scheme, "trulayer") == 0 || strcmp(scheme, "github") == 0)
        return 0;
    if (signs_like_standard(scheme))
        return (size_t)snprintf(out, size, "%.*s.%lld.", (int)r->id.len, r->id.base,
                                (long long)r->signed_at);
    if (strcmp(scheme, "slack") == 0)
        return (size_t)snprintf(out, size, "v0:%lld:", (long long)r->signed_at);
    return (size_t)snprintf(out, size, "%lld.", (long long)r->signed_at);
}

static void check_mac(const struct input *in, const hookline_result *r)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    char start[512];
    size_t len = write_signed_start(hookline_scheme_at(in->scheme)->name, r, start, sizeof(start));
    unsigned char *content = malloc(len + in->body.len + 1);

    fuzz_check(content != NULL && len < sizeof(start));
    memcpy(content, start, len);
    memcpy(content + len, in->body.base, in->body.len);
    fuzz_check(HMAC(EVP_sha256(), keys[r->secret], (int)strlen(keys[r->secret]), content,
                    len + in->body.len, mac, NULL) != NULL);
    fuzz_check(memcmp(mac, r->mac, sizeof(r->mac)) == 0);
    free(content);
}

static hookline_request request_of(const hookline_header_list *headers, hookline_bytes body)
{
    return (hookline_request){
        .find_header = hookline_find_in_list, .headers = headers, .body = body};
}

/* A signed body must verify; the body with one bit changed must not. */
static void check_signing(const struct input *in)
{
    const hookline_verifier *v = verifier_of(in->scheme);
    hookline_bytes none = {NULL, 0}, changed = exact_copy(in->body.base, in->body.len);
    hookline_request req = request_of(NULL, in->body);
    hookline_signature signature;
    hookline_result r;

    if (hookline_sign(v, &req, none, in->now, &signature) == 0 ||
        hookline_sign(v, &req, (hookline_bytes){"msg_1", 5}, in->now, &signature) == 0) {
        req.headers = &signature.headers;
        r = hookline_verify(v, &req, in->now);
        check_fields(in, &r);
        fuzz_check(r.secret == 0);
        check_mac(in, &r);
        if (changed.len > 0) {
            ((char *)changed.base)[(size_t)in->now % changed.len] ^= 1;
            req.body = changed;
            r = hookline_verify(v, &req, in->now);
            fuzz_check(r.reason == HOOKLINE_MISMATCH);
        }
    }
    free((char *)changed.base);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in;
    hookline_request req;
    hookline_result r;

    if (!read_input(&in, (const char *)data, size))
        return 0;
    req = request_of(&in.headers, in.body);
    r = hookline_verify(verifier_of(in.scheme), &req, in.now);
    check_fields(&in, &r);
    if (r.secret >= 0 && r.signed_at < INT64_MAX)
        check_mac(&in, &r);
    check_signing(&in);
    free_input(&in);
    return 0;
}
