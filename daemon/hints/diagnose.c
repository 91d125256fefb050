/* SPDX-License-Identifier: MIT */
#include "daemon/hints/diagnose.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/hints/secret_variants.h"
#include "daemon/hints/json_variants.h"

enum {
    DIAGNOSE_DAY_S = 86400,
};

static const struct {
    const char *name, *text;
} diagnose_causes[] = {
    [DIAGNOSE_OTHER_SOURCE] =
        {"other_source", "the signature is right for another source: the sender delivers to the "
                         "wrong URL, or the secrets of the two were mixed up"},
    [DIAGNOSE_BODY_NEWLINE] =
        {"body_newline", "the signature is that of the body with one line end more or less: find "
                         "what adds or takes it on the way, and have the body passed on as it is"},
    [DIAGNOSE_BODY_CRLF] =
        {"body_crlf", "the signature is that of the body with other line ends: find what changes "
                      "them on the way, and have the body passed on as it is"},
    [DIAGNOSE_BODY_REENCODED] =
        {"body_reencoded", "the signature is that of the same JSON in another spelling: find what "
                           "parses the body on the way and writes it again, and have the bytes "
                           "passed on as they are"},
    [DIAGNOSE_SECRET_NEWLINE] =
        {"secret_newline", "the sender signs with this secret and a line end behind it: enter it "
                           "there again, without the line end"},
    [DIAGNOSE_SECRET_DECODING] =
        {"secret_decoding", "the sender signs with this secret, but reads it in another way than "
                            "the scheme says, as text, base64, hex, with or without its prefix: "
                            "look for the scheme that reads it so, or describe it"},
    [DIAGNOSE_TIMESTAMP_UNIT] =
        {"timestamp_unit", "the signed time is right in another unit: the sender counts seconds "
                           "where the scheme counts milliseconds, or the other way round"},
};

const char *diagnose_cause_name(enum diagnose_cause kind)
{
    return diagnose_causes[kind].name;
}

const char *diagnose_cause_text(enum diagnose_cause kind)
{
    return diagnose_causes[kind].text;
}

/* Whether one of the verifier's secrets gives the signature, be it too old or not. */
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

/* ---- another body */

struct diagnose_bodies {
    const struct diagnose_question *question;
    hookline_bytes body;
    char *text; /* where another one is written */
    size_t size;
};

static bool diagnose_try_body(const struct diagnose_bodies *o, const char *body, size_t len)
{
    hookline_request request = *o->question->request;

    request.body = (hookline_bytes){body, len};
    return diagnose_is_authentic(o->question->verifier, &request, o->question->now);
}

static bool diagnose_try_newline(struct diagnose_bodies *o)
{
    hookline_bytes b = o->body;

    memcpy(o->text, b.base, b.len);
    memcpy(o->text + b.len, "\n", 1);
    if (diagnose_try_body(o, o->text, b.len + 1))
        return true;
    memcpy(o->text + b.len, "\r\n", 2);
    if (diagnose_try_body(o, o->text, b.len + 2))
        return true;
    if (b.base[b.len - 1] != '\n')
        return false;
    return diagnose_try_body(o, b.base, b.len - 1) ||
           (b.len > 1 && b.base[b.len - 2] == '\r' && diagnose_try_body(o, b.base, b.len - 2));
}

/* All line ends become `end`. */
static bool diagnose_try_line_ends(struct diagnose_bodies *o, const char *end)
{
    size_t len = 0, end_len = strlen(end);

    for (size_t i = 0; i < o->body.len; i++) {
        bool crlf = o->body.base[i] == '\r' && i + 1 < o->body.len && o->body.base[i + 1] == '\n';

        if (crlf || o->body.base[i] == '\n') {
            memcpy(o->text + len, end, end_len);
            len += end_len;
            i += crlf;
        } else {
            o->text[len++] = o->body.base[i];
        }
    }
    return diagnose_try_body(o, o->text, len);
}

static bool diagnose_try_json_variants(struct diagnose_bodies *o)
{
    for (unsigned n = 0; n < json_variants_count(); n++) {
        size_t len = json_variants_write(n, o->body, o->text, o->size);

        if (len > 0 && diagnose_try_body(o, o->text, len))
            return true;
    }
    return false;
}

static enum diagnose_cause diagnose_find_body(const struct diagnose_question *q)
{
    struct diagnose_bodies o = {.question = q, .body = q->request->body};
    enum diagnose_cause kind = DIAGNOSE_NONE;

    if (o.body.len == 0 || o.body.len > SIZE_MAX / 8)
        return DIAGNOSE_NONE;
    /* Line ends take twice the room at most; of spellings those are left out that take more. */
    o.size = 4 * o.body.len + 1024;
    if ((o.text = malloc(o.size)) == NULL)
        return DIAGNOSE_NONE;
    if (diagnose_try_newline(&o))
        kind = DIAGNOSE_BODY_NEWLINE;
    else if (memchr(o.body.base, '\n', o.body.len) != NULL &&
             (diagnose_try_line_ends(&o, "\n") || diagnose_try_line_ends(&o, "\r\n")))
        kind = DIAGNOSE_BODY_CRLF;
    else if (diagnose_try_json_variants(&o))
        kind = DIAGNOSE_BODY_REENCODED;
    free(o.text);
    return kind;
}

/* ---- another key */

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

/* ---- another unit of the time */

static bool diagnose_is_near(int64_t time, int64_t other, int64_t seconds)
{
    return time - other > -seconds && time - other < seconds;
}

/* Milliseconds, or less, that were taken for seconds; and seconds taken for milliseconds. */
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
    struct diagnose_result m = {DIAGNOSE_NONE, NULL};

    switch (q->result.reason) {
    case HOOKLINE_MISMATCH:
        m = diagnose_find_source(q);
        if (m.kind == DIAGNOSE_NONE)
            m.kind = diagnose_find_body(q);
        if (m.kind == DIAGNOSE_NONE)
            m.kind = diagnose_find_key(q);
        break;
    case HOOKLINE_MISSING_HEADER:
    case HOOKLINE_BAD_SIGNATURE_FORMAT:
        m = diagnose_find_source(q);
        break;
    case HOOKLINE_TOO_OLD:
    case HOOKLINE_TOO_NEW:
        m.kind = diagnose_find_unit(q);
        break;
    default:
        break;
    }
    return m;
}
