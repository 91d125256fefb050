/* SPDX-License-Identifier: MIT */
#include "daemon/hints/diagnose.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/hints/json_variants.h"
#include "daemon/hints/secret_variants.h"

enum {
    DIAGNOSE_DAY_S = 86400,
};

static const struct {
    const char *name, *text;
} diagnose_causes[] = {
    [DIAGNOSE_OTHER_SOURCE] =
        {"other_source", "the signature matches another source: the sender delivers to the wrong "
                         "URL, or the two secrets are swapped"},
    [DIAGNOSE_BODY_NEWLINE] =
        {"body_newline", "the signature matches the body with one line end more or less: find the "
                         "proxy that adds or removes it, and make it pass the body unchanged"},
    [DIAGNOSE_BODY_CRLF] =
        {"body_crlf", "the signature matches the body with different line ends: find the proxy "
                      "that converts them, and make it pass the body unchanged"},
    [DIAGNOSE_BODY_REENCODED] =
        {"body_reencoded", "the signature matches the same JSON with different spacing or escapes: "
                           "find the proxy that parses and rewrites the body, and make it pass the "
                           "bytes unchanged"},
    [DIAGNOSE_SECRET_NEWLINE] =
        {"secret_newline", "the sender signs with this secret plus a trailing newline: enter the "
                           "secret there again, without the newline"},
    [DIAGNOSE_SECRET_DECODING] =
        {"secret_decoding", "the sender signs with this secret, but does not decode it as the "
                            "scheme says (text, base64 or hex, with or without prefix): use the "
                            "scheme that decodes it the sender's way, or describe one"},
    [DIAGNOSE_TIMESTAMP_UNIT] =
        {"timestamp_unit", "the signed time is correct in another unit: the sender counts seconds "
                           "where the scheme counts milliseconds, or vice versa"},
    [DIAGNOSE_PATH] = {"path", "no source has this path, but one has nearly the same: correct the "
                               "URL at the sender (case, slashes, percent-encoding)"},
};

const char *diagnose_cause_name(enum diagnose_cause kind)
{
    return diagnose_causes[kind].name;
}

const char *diagnose_cause_text(enum diagnose_cause kind)
{
    return diagnose_causes[kind].text;
}

/* Returns true if a secret of the verifier matches the signature, however old. */
static bool diagnose_is_authentic(const hookline_verifier *verifier,
                                  const hookline_request *request, int64_t now)
{
    return hookline_verify(verifier, request, now).secret >= 0;
}

/* ---- another source */

static struct diagnose_result diagnose_find_source(const struct diagnose_question *q)
{
    for (size_t i = 0; i < q->others_count; i++) {
        const struct diagnose_other *other = &q->others[i];
        hookline_request request = *q->request;

        request.url = (hookline_bytes){other->url, other->url == NULL ? 0 : strlen(other->url)};
        if (diagnose_is_authentic(other->verifier, &request, q->now))
            return (struct diagnose_result){DIAGNOSE_OTHER_SOURCE, other->name};
    }
    return (struct diagnose_result){DIAGNOSE_NONE, NULL};
}

/* ---- altered body */

struct diagnose_bodies {
    const struct diagnose_question *question;
    hookline_bytes body;
    char *text; /* buffer for the variant */
    size_t size;
};

static bool diagnose_try_body(const struct diagnose_bodies *bodies, const char *body, size_t len)
{
    hookline_request request = *bodies->question->request;

    request.body = (hookline_bytes){body, len};
    return diagnose_is_authentic(bodies->question->verifier, &request, bodies->question->now);
}

static bool diagnose_try_newline(struct diagnose_bodies *bodies)
{
    hookline_bytes b = bodies->body;

    memcpy(bodies->text, b.base, b.len);
    memcpy(bodies->text + b.len, "\n", 1);
    if (diagnose_try_body(bodies, bodies->text, b.len + 1))
        return true;
    memcpy(bodies->text + b.len, "\r\n", 2);
    if (diagnose_try_body(bodies, bodies->text, b.len + 2))
        return true;
    if (b.base[b.len - 1] != '\n')
        return false;
    return diagnose_try_body(bodies, b.base, b.len - 1) ||
           (b.len > 1 && b.base[b.len - 2] == '\r' && diagnose_try_body(bodies, b.base, b.len - 2));
}

/* Tries the body with every line end replaced by `end`. */
static bool diagnose_try_line_ends(struct diagnose_bodies *bodies, const char *end)
{
    size_t len = 0, end_len = strlen(end);

    for (size_t i = 0; i < bodies->body.len; i++) {
        bool crlf = bodies->body.base[i] == '\r' && i + 1 < bodies->body.len &&
                    bodies->body.base[i + 1] == '\n';

        if (crlf || bodies->body.base[i] == '\n') {
            memcpy(bodies->text + len, end, end_len);
            len += end_len;
            i += crlf;
        } else {
            bodies->text[len++] = bodies->body.base[i];
        }
    }
    return diagnose_try_body(bodies, bodies->text, len);
}

static bool diagnose_try_json_variants(struct diagnose_bodies *bodies)
{
    for (unsigned n = 0; n < json_variants_count(); n++) {
        size_t len = json_variants_write(n, bodies->body, bodies->text, bodies->size);

        if (len > 0 && diagnose_try_body(bodies, bodies->text, len))
            return true;
    }
    return false;
}

static enum diagnose_cause diagnose_find_body(const struct diagnose_question *q)
{
    struct diagnose_bodies bodies = {.question = q, .body = q->request->body};
    enum diagnose_cause kind = DIAGNOSE_NONE;

    if (bodies.body.len == 0 || bodies.body.len > SIZE_MAX / 8)
        return DIAGNOSE_NONE;
    /* CRLF at most doubles the body; longer JSON variants are skipped. */
    bodies.size = 4 * bodies.body.len + 1024;
    if ((bodies.text = malloc(bodies.size)) == NULL)
        return DIAGNOSE_NONE;
    if (diagnose_try_newline(&bodies))
        kind = DIAGNOSE_BODY_NEWLINE;
    else if (memchr(bodies.body.base, '\n', bodies.body.len) != NULL &&
             (diagnose_try_line_ends(&bodies, "\n") || diagnose_try_line_ends(&bodies, "\r\n")))
        kind = DIAGNOSE_BODY_CRLF;
    else if (diagnose_try_json_variants(&bodies))
        kind = DIAGNOSE_BODY_REENCODED;
    free(bodies.text);
    return kind;
}

/* ---- wrong key */

static enum diagnose_cause diagnose_find_key(const struct diagnose_question *q)
{
    for (size_t i = 0; q->description != NULL && i < q->secrets_count; i++) {
        switch (secret_variants_find(q->description, q->secrets[i], q->request, q->now)) {
        case SECRET_VARIANT_LINE_END:
            return DIAGNOSE_SECRET_NEWLINE;
        case SECRET_VARIANT_DECODING:
            return DIAGNOSE_SECRET_DECODING;
        case SECRET_VARIANT_NONE:
            break;
        }
    }
    return DIAGNOSE_NONE;
}

/* ---- wrong time unit */

static bool diagnose_is_near(int64_t time, int64_t other, int64_t seconds)
{
    return time - other > -seconds && time - other < seconds;
}

/* Tries ms, us and ns taken for seconds, then seconds taken for milliseconds. */
static enum diagnose_cause diagnose_find_unit(const struct diagnose_question *q)
{
    int64_t signed_at = q->result.signed_at;

    for (int64_t unit = 1000; unit <= 1000000000; unit *= 1000)
        if (diagnose_is_near(signed_at / unit, q->now, DIAGNOSE_DAY_S))
            return DIAGNOSE_TIMESTAMP_UNIT;
    return diagnose_is_near(signed_at, q->now / 1000, DIAGNOSE_DAY_S / 1000)
               ? DIAGNOSE_TIMESTAMP_UNIT
               : DIAGNOSE_NONE;
}

struct diagnose_result diagnose_find(const struct diagnose_question *q)
{
    struct diagnose_result found = {DIAGNOSE_NONE, NULL};

    switch (q->result.reason) {
    case HOOKLINE_MISMATCH:
        found = diagnose_find_source(q);
        if (found.kind == DIAGNOSE_NONE)
            found.kind = diagnose_find_body(q);
        if (found.kind == DIAGNOSE_NONE)
            found.kind = diagnose_find_key(q);
        break;
    case HOOKLINE_MISSING_HEADER:
    case HOOKLINE_BAD_SIGNATURE_FORMAT:
        found = diagnose_find_source(q);
        break;
    case HOOKLINE_TOO_OLD:
    case HOOKLINE_TOO_NEW:
        found.kind = diagnose_find_unit(q);
        break;
    default:
        break;
    }
    return found;
}
