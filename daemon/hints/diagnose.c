/* SPDX-License-Identifier: MIT */
#include "daemon/hints/diagnose.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "daemon/hints/json_variants.h"
#include "daemon/hints/secret_mistakes.h"
#include "daemon/hints/secret_variants.h"
#include "daemon/hints/url_variants.h"

enum {
    DIAGNOSE_DAY_S = 86400,
    DIAGNOSE_STRINGS_MAX = 256, /* strings tried in one body */
};

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
    char *decoded; /* second part of the buffer */
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

/* Tries the bytes whose base64 is `text`, in either alphabet. */
static bool diagnose_try_base64(struct diagnose_bodies *bodies, hookline_bytes text)
{
    unsigned char *out = (unsigned char *)bodies->decoded;
    size_t len;

    while (text.len > 0 && text.base[text.len - 1] == '=')
        text.len--;
    for (int url = 0; url < 2; url++)
        if (text.len > 0 &&
            sodium_base642bin(out, text.len, text.base, text.len, " \t\r\n", &len, NULL,
                              url ? sodium_base64_VARIANT_URLSAFE_NO_PADDING
                                  : sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0)
            return diagnose_try_body(bodies, bodies->decoded, len);
    return false;
}

/* Tries the strings inside the JSON, because a gateway may pass the body as one of them. */
static enum diagnose_cause diagnose_try_strings(struct diagnose_bodies *bodies, hookline_bytes body)
{
    hookline_bytes left = body, string;

    for (int n = 0; n < DIAGNOSE_STRINGS_MAX && json_variants_next_string(&left, &string); n++) {
        hookline_bytes text = {bodies->text, json_variants_decode(string, bodies->text)};

        if (text.len > 0 &&
            (diagnose_try_body(bodies, text.base, text.len) || diagnose_try_base64(bodies, text)))
            return string.len + 2 == body.len ? DIAGNOSE_BODY_STRING : DIAGNOSE_BODY_EVENT;
    }
    return DIAGNOSE_NONE;
}

static enum diagnose_cause diagnose_find_wrapper(struct diagnose_bodies *bodies)
{
    hookline_bytes body = bodies->body;

    while (body.len > 0 && strchr(" \t\r\n", body.base[body.len - 1]) != NULL)
        body.len--;
    return diagnose_try_base64(bodies, body) ? DIAGNOSE_BODY_BASE64
                                             : diagnose_try_strings(bodies, body);
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
    bodies.decoded = bodies.text + bodies.body.len;
    if (diagnose_try_newline(&bodies))
        kind = DIAGNOSE_BODY_NEWLINE;
    else if (memchr(bodies.body.base, '\n', bodies.body.len) != NULL &&
             (diagnose_try_line_ends(&bodies, "\n") || diagnose_try_line_ends(&bodies, "\r\n")))
        kind = DIAGNOSE_BODY_CRLF;
    else if (diagnose_try_json_variants(&bodies))
        kind = DIAGNOSE_BODY_REENCODED;
    else
        kind = diagnose_find_wrapper(&bodies);
    free(bodies.text);
    return kind;
}

/* ---- wrong key */

static enum diagnose_cause diagnose_find_key(const struct diagnose_question *q)
{
    enum diagnose_cause kind = DIAGNOSE_NONE;

    for (size_t i = 0; kind == DIAGNOSE_NONE && q->description != NULL && i < q->secrets_count;
         i++) {
        kind = secret_variants_find(q->description, q->secrets[i], q->request, q->now);
        if (kind == DIAGNOSE_NONE)
            kind = secret_mistake_find(q->description, q->secrets[i], q->request, q->now);
    }
    return kind;
}

/* ---- another URL */

static enum diagnose_cause diagnose_find_url(const struct diagnose_question *q)
{
    hookline_request request = *q->request;
    size_t size = q->request->url.len + q->query.len + URL_VARIANTS_ROOM;
    enum diagnose_cause kind = DIAGNOSE_NONE;
    char *url;

    if (q->request->url.len == 0 || q->description == NULL ||
        strstr(q->description, "{url}") == NULL || (url = malloc(size)) == NULL)
        return DIAGNOSE_NONE;
    for (unsigned n = 0; kind == DIAGNOSE_NONE && n < url_variants_count(); n++) {
        enum diagnose_cause change =
            url_variants_write(n, q->request->url, q->query, url, size, &request.url.len);

        request.url.base = url;
        if (change != DIAGNOSE_NONE && diagnose_is_authentic(q->verifier, &request, q->now))
            kind = change;
    }
    free(url);
    return kind;
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
        if (found.kind == DIAGNOSE_NONE)
            found.kind = diagnose_find_url(q);
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
