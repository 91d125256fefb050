/* SPDX-License-Identifier: MIT */
#include "daemon/forward/outgoing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hookline.h>

#include "daemon/policy/destination.h"
#include "daemon/store/entry.h"

enum {
    HEADER_FACT_MAX = 256
};

/* Begins with it, whatever the case. */
static bool attempt_header_begins(hookline_bytes name, const char *with)
{
    size_t len = strlen(with);

    return name.len >= len && strncasecmp(name.base, with, len) == 0;
}

static bool attempt_header_is(hookline_bytes name, const char *other)
{
    return name.len == strlen(other) && attempt_header_begins(name, other);
}

/* What belongs to the connection that it came by, and what would be taken for ours. */
static bool attempt_header_passes(hookline_bytes name, const struct destination *d)
{
    static const char *const ours[] = {
        "host",    "connection", "content-length", "transfer-encoding", "te",
        "trailer", "upgrade",    "expect",         "user-agent",        "keep-alive",
    };
    static const char *const signed_anew[] = {
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    };

    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (attempt_header_is(name, ours[i]))
            return false;
    for (size_t i = 0; d->signer != NULL && i < sizeof(signed_anew) / sizeof(signed_anew[0]); i++)
        if (attempt_header_is(name, signed_anew[i]))
            return false;
    return !attempt_header_begins(name, "hookline-") && !attempt_header_begins(name, "proxy-");
}

/* A header without a value is "name;" for libcurl: "name:" would take one away. */
static void attempt_write_header(FILE *out, hookline_bytes name, hookline_bytes value)
{
    fwrite(name.base, 1, name.len, out);
    if (value.len == 0) {
        fputc(';', out);
    } else {
        fputs(": ", out);
        fwrite(value.base, 1, value.len, out);
    }
    fputc('\0', out);
}

static void attempt_write_received(FILE *out, const struct delivery_row *delivery,
                                   const struct destination *d)
{
    hookline_bytes rest = delivery->headers, name, value;

    while (delivery_row_next_header(&rest, &name, &value))
        if (attempt_header_passes(name, d))
            attempt_write_header(out, name, value);
}

static void attempt_write_fact(FILE *out, const char *name, hookline_bytes text)
{
    if (text.len == 0 || text.len > HEADER_FACT_MAX)
        return;
    fprintf(out, "Hookline-%s: ", name);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.base[i];

        if (c > ' ' && c < 0x7f && c != '%')
            fputc(c, out);
        else
            fprintf(out, "%%%02X", c);
    }
    fputc('\0', out);
}

static void attempt_write_number(FILE *out, const char *name, int64_t number)
{
    fprintf(out, "Hookline-%s: %" PRId64 "%c", name, number, '\0');
}

static void attempt_write_facts(FILE *out, const struct delivery_row *delivery, unsigned tries)
{
    fprintf(out, "User-Agent: hooklined/%s%c", hookline_version(), '\0');
    attempt_write_fact(out, "Source", delivery->source);
    attempt_write_fact(out, "Scheme", delivery->scheme);
    attempt_write_fact(out, "Id", delivery->id);
    attempt_write_fact(out, "Type", delivery->type);
    attempt_write_number(out, "Seq", delivery->seq);
    if (delivery->signed_at >= 0)
        attempt_write_number(out, "Signed-At", delivery->signed_at);
    attempt_write_number(out, "Received-At", delivery->received_us / 1000000);
    attempt_write_number(out, "Attempt", tries);
}

/* The id is the same at each attempt, and another one in another store, where seq begins anew. */
static bool attempt_write_signature(FILE *out, const struct delivery_row *delivery,
                                    const struct destination *d, int64_t now_s)
{
    hookline_request view = {.body = delivery->body};
    hookline_signature signature;
    char id[64];
    int len = snprintf(id, sizeof(id), "hl_%" PRId64 "_%" PRIx64, delivery->seq,
                       (uint64_t)delivery->received_us);

    if (d->signer == NULL)
        return true;
    if (hookline_sign(d->signer, &view, (hookline_bytes){id, (size_t)len}, now_s, &signature) < 0)
        return false;
    for (size_t i = 0; i < signature.headers.count; i++) {
        const hookline_header *h = &signature.headers.entries[i];

        attempt_write_header(out, (hookline_bytes){h->name, strlen(h->name)}, h->value);
    }
    return true;
}

/* A text of `len` bytes, each part of which ends with a NUL. */
static const char **attempt_split_headers(const char *text, size_t len)
{
    const char **parts;
    size_t count = 0;

    for (size_t i = 0; i < len; i++)
        count += text[i] == '\0';
    if ((parts = calloc(count + 1, sizeof(*parts))) == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        parts[i] = text;
        text += strlen(text) + 1;
    }
    return parts;
}

struct attempt_headers attempt_headers_new(const struct delivery_row *delivery,
                                           const struct destination *d, unsigned tries,
                                           int64_t now_s)
{
    struct attempt_headers outgoing = {0};
    size_t len = 0;
    FILE *out = open_memstream(&outgoing.text, &len);
    bool good;

    if (out == NULL)
        return outgoing;
    attempt_write_received(out, delivery, d);
    attempt_write_facts(out, delivery, tries);
    good = attempt_write_signature(out, delivery, d, now_s);
    if (fclose(out) == 0 && good)
        outgoing.headers = attempt_split_headers(outgoing.text, len);
    return outgoing;
}

void attempt_headers_free(struct attempt_headers *outgoing)
{
    free(outgoing->headers);
    free(outgoing->text);
    *outgoing = (struct attempt_headers){0};
}
