/* SPDX-License-Identifier: MIT */
#include "daemon/hints/mistake.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/hints/misreading.h"
#include "daemon/hints/respelling.h"

enum {
    DAY_S = 86400,
};

static const struct {
    const char *name, *text;
} kinds[] = {
    [MISTAKE_OTHER_SOURCE] =
        {"other_source", "the signature is right for another source: the sender delivers to the "
                         "wrong URL, or the secrets of the two were mixed up"},
    [MISTAKE_BODY_NEWLINE] =
        {"body_newline", "the signature is that of the body with one line end more or less: find "
                         "what adds or takes it on the way, and have the body passed on as it is"},
    [MISTAKE_BODY_CRLF] =
        {"body_crlf", "the signature is that of the body with other line ends: find what changes "
                      "them on the way, and have the body passed on as it is"},
    [MISTAKE_BODY_REENCODED] =
        {"body_reencoded", "the signature is that of the same JSON in another spelling: find what "
                           "parses the body on the way and writes it again, and have the bytes "
                           "passed on as they are"},
    [MISTAKE_SECRET_NEWLINE] =
        {"secret_newline", "the sender signs with this secret and a line end behind it: enter it "
                           "there again, without the line end"},
    [MISTAKE_SECRET_DECODING] =
        {"secret_decoding", "the sender signs with this secret, but reads it in another way than "
                            "the scheme says, as text, base64, hex, with or without its prefix: "
                            "look for the scheme that reads it so, or describe it"},
    [MISTAKE_TIMESTAMP_UNIT] =
        {"timestamp_unit", "the signed time is right in another unit: the sender counts seconds "
                           "where the scheme counts milliseconds, or the other way round"},
};

const char *mistake_name(enum mistake_kind kind)
{
    return kinds[kind].name;
}

const char *mistake_text(enum mistake_kind kind)
{
    return kinds[kind].text;
}

/* Whether one of the verifier's secrets gives the signature, be it too old or not. */
static bool is_authentic(const hookline_verifier *verifier, const hookline_request *request,
                         int64_t now)
{
    return hookline_verify(verifier, request, now).secret >= 0;
}

/* ---- another source */

static struct mistake find_other(const struct mistake_question *q)
{
    for (size_t i = 0; i < q->others_count; i++) {
        const struct mistake_other *other = &q->others[i];
        hookline_request request = *q->request;

        request.url = (hookline_bytes){other->url, other->url == NULL ? 0 : strlen(other->url)};
        if (is_authentic(other->verifier, &request, q->now))
            return (struct mistake){MISTAKE_OTHER_SOURCE, other->name};
    }
    return (struct mistake){MISTAKE_NONE, NULL};
}

/* ---- another body */

struct other_bodies {
    const struct mistake_question *question;
    hookline_bytes body;
    char *text; /* where another one is written */
    size_t size;
};

static bool fits_body(const struct other_bodies *o, const char *body, size_t len)
{
    hookline_request request = *o->question->request;

    request.body = (hookline_bytes){body, len};
    return is_authentic(o->question->verifier, &request, o->question->now);
}

static bool fits_newline(struct other_bodies *o)
{
    hookline_bytes b = o->body;

    memcpy(o->text, b.base, b.len);
    memcpy(o->text + b.len, "\n", 1);
    if (fits_body(o, o->text, b.len + 1))
        return true;
    memcpy(o->text + b.len, "\r\n", 2);
    if (fits_body(o, o->text, b.len + 2))
        return true;
    if (b.base[b.len - 1] != '\n')
        return false;
    return fits_body(o, b.base, b.len - 1) ||
           (b.len > 1 && b.base[b.len - 2] == '\r' && fits_body(o, b.base, b.len - 2));
}

/* All line ends become `end`. */
static bool fits_line_ends(struct other_bodies *o, const char *end)
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
    return fits_body(o, o->text, len);
}

static bool fits_respelling(struct other_bodies *o)
{
    for (unsigned n = 0; n < respelling_count(); n++) {
        size_t len = respelling_write(n, o->body, o->text, o->size);

        if (len > 0 && fits_body(o, o->text, len))
            return true;
    }
    return false;
}

static enum mistake_kind find_body(const struct mistake_question *q)
{
    struct other_bodies o = {.question = q, .body = q->request->body};
    enum mistake_kind kind = MISTAKE_NONE;

    if (o.body.len == 0 || o.body.len > SIZE_MAX / 8)
        return MISTAKE_NONE;
    /* Line ends take twice the room at most; of spellings those are left out that take more. */
    o.size = 4 * o.body.len + 1024;
    if ((o.text = malloc(o.size)) == NULL)
        return MISTAKE_NONE;
    if (fits_newline(&o))
        kind = MISTAKE_BODY_NEWLINE;
    else if (memchr(o.body.base, '\n', o.body.len) != NULL &&
             (fits_line_ends(&o, "\n") || fits_line_ends(&o, "\r\n")))
        kind = MISTAKE_BODY_CRLF;
    else if (fits_respelling(&o))
        kind = MISTAKE_BODY_REENCODED;
    free(o.text);
    return kind;
}

/* ---- another key */

static enum mistake_kind find_key(const struct mistake_question *q)
{
    for (size_t i = 0; q->description != NULL && i < q->secrets_count; i++) {
        switch (misreading_find(q->description, q->secrets[i], q->request, q->now)) {
        case MISREADING_LINE_END:
            return MISTAKE_SECRET_NEWLINE;
        case MISREADING_DECODING:
            return MISTAKE_SECRET_DECODING;
        case MISREADING_NONE:
            break;
        }
    }
    return MISTAKE_NONE;
}

/* ---- another unit of the time */

static bool is_near(int64_t time, int64_t other, int64_t seconds)
{
    return time - other > -seconds && time - other < seconds;
}

/* Milliseconds, or less, that were taken for seconds; and seconds taken for milliseconds. */
static enum mistake_kind find_unit(const struct mistake_question *q)
{
    int64_t signed_at = q->result.signed_at;

    for (int64_t unit = 1000; unit <= 1000000000; unit *= 1000)
        if (is_near(signed_at / unit, q->now, DAY_S))
            return MISTAKE_TIMESTAMP_UNIT;
    return is_near(signed_at, q->now / 1000, DAY_S / 1000) ? MISTAKE_TIMESTAMP_UNIT : MISTAKE_NONE;
}

struct mistake mistake_find(const struct mistake_question *q)
{
    struct mistake m = {MISTAKE_NONE, NULL};

    switch (q->result.reason) {
    case HOOKLINE_MISMATCH:
        m = find_other(q);
        if (m.kind == MISTAKE_NONE)
            m.kind = find_body(q);
        if (m.kind == MISTAKE_NONE)
            m.kind = find_key(q);
        break;
    case HOOKLINE_MISSING_HEADER:
    case HOOKLINE_BAD_SIGNATURE_FORMAT:
        m = find_other(q);
        break;
    case HOOKLINE_TOO_OLD:
    case HOOKLINE_TOO_NEW:
        m.kind = find_unit(q);
        break;
    default:
        break;
    }
    return m;
}
