/* SPDX-License-Identifier: MIT
 *
 * Fuzzes the language of scheme descriptions; an input is a description. The library must verify
 * its own signatures by each description it accepts, and reject any other signature.
 */
#include <hookline.h>

#include <string.h>
#include <strings.h>

#include "lib/verifier.h"
#include "tests/fuzz/fuzz.h"

static const int64_t now = 1700000000;

static const char body_text[] =
    "{\"id\":\"msg_1\",\"t\":1700000000,\"a\":{\"b\":\"2023-11-14T22:13:20Z\"}}";

struct received {
    const struct scheme *scheme;
    const hookline_signature *signature;
};

/* Finds a header of the signature, or "x" for any other header the scheme signs. */
static size_t find_header(const void *headers, const char *name, hookline_bytes *value)
{
    const struct received *in = headers;

    for (size_t i = 0; i < in->scheme->parts; i++) {
        if (in->scheme->content[i].kind == PART_HEADER &&
            strcasecmp(in->scheme->content[i].text, name) == 0) {
            *value = (hookline_bytes){"x", 1};
            return 1;
        }
    }
    return hookline_find_in_list(&in->signature->headers, name, value);
}

static hookline_verifier *make(const char *description)
{
    static const char *const secrets[] = {"whsec_c2VjcmV0c2VjcmV0", "c2VjcmV0c2VjcmV0", "736563"};
    hookline_verifier *v = NULL;
    char why[96];

    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        int code = hookline_verifier_new_custom(&v, description, secrets[i], why, sizeof(why));

        if (code == 0) {
            fuzz_check(v != NULL);
            fuzz_check(hookline_verifier_add_secret(v, secrets[i]) == 0);
            return v;
        }
        fuzz_check(v == NULL);
        fuzz_check(code == HOOKLINE_BAD_SECRET || code == HOOKLINE_BAD_SCHEME);
        if (code == HOOKLINE_BAD_SCHEME) {
            fuzz_check(memchr(why, '\0', sizeof(why)) != NULL && why[0] != '\0');
            break;
        }
    }
    return NULL;
}

/* The body may lack the member that an arbitrary path names. */
static bool may_be_refused(const struct scheme *s, int reason)
{
    bool by_time = reason == HOOKLINE_BAD_TIMESTAMP || reason == HOOKLINE_TOO_OLD ||
                   reason == HOOKLINE_TOO_NEW || reason == HOOKLINE_BAD_PAYLOAD;
    bool by_id = reason == HOOKLINE_ID_MISMATCH || reason == HOOKLINE_BAD_PAYLOAD;

    return (s->timestamp.source == FROM_BODY && by_time) || (s->id.equals != NULL && by_id);
}

static void check_round_trip(const hookline_verifier *v)
{
    hookline_signature signature = {.headers = {NULL, 0}};
    struct received in = {&v->scheme, &signature};
    hookline_request req = {
        .find_header = find_header,
        .headers = &in,
        .body = {body_text, sizeof(body_text) - 1},
        .method = {"POST", 4},
        .url = {"https://example.com/hook?a=b", 28},
    };
    hookline_result r;

    if (hookline_sign(v, &req, (hookline_bytes){"msg_1", 5}, now, &signature) < 0)
        return;
    r = hookline_verify(v, &req, now);
    if (!hookline_accepted(r) && !may_be_refused(&v->scheme, r.reason))
        fprintf(stderr, "refused: %s\n", hookline_code_name(r.reason));
    fuzz_check(hookline_accepted(r) || may_be_refused(&v->scheme, r.reason));
    fuzz_check(r.secret == 0);

    req.body.len--;
    r = hookline_verify(v, &req, now);
    fuzz_check(r.reason == HOOKLINE_MISMATCH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *description = malloc(size + 1);
    hookline_verifier *v;

    fuzz_check(description != NULL);
    memcpy(description, data, size);
    description[size] = '\0';
    if ((v = make(description)) != NULL) {
        check_round_trip(v);
        hookline_verifier_free(&v);
        fuzz_check(v == NULL);
    }
    free(description);
    return 0;
}
