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
    FACT_MAX = 256
};

/* Begins with it, whatever the case. */
static bool begins(hookline_bytes name, const char *with)
{
    size_t len = strlen(with);

    return name.len >= len && strncasecmp(name.base, with, len) == 0;
}

static bool is(hookline_bytes name, const char *other)
{
    return name.len == strlen(other) && begins(name, other);
}

/* What belongs to the connection that it came by, and what would be taken for ours. */
static bool is_passed_on(hookline_bytes name, const struct destination *d)
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
        if (is(name, ours[i]))
            return false;
    for (size_t i = 0; d->signer != NULL && i < sizeof(signed_anew) / sizeof(signed_anew[0]); i++)
        if (is(name, signed_anew[i]))
            return false;
    return !begins(name, "hookline-") && !begins(name, "proxy-");
}

/* A header without a value is "name;" for libcurl: "name:" would take one away. */
static void write_header(FILE *out, hookline_bytes name, hookline_bytes value)
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

static void write_received(FILE *out, const struct entry *entry, const struct destination *d)
{
    hookline_bytes rest = entry->headers, name, value;

    while (entry_next_header(&rest, &name, &value))
        if (is_passed_on(name, d))
            write_header(out, name, value);
}

static void write_fact(FILE *out, const char *name, hookline_bytes text)
{
    if (text.len == 0 || text.len > FACT_MAX)
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

static void write_number(FILE *out, const char *name, int64_t number)
{
    fprintf(out, "Hookline-%s: %" PRId64 "%c", name, number, '\0');
}

static void write_facts(FILE *out, const struct entry *entry, unsigned tries)
{
    fprintf(out, "User-Agent: hooklined/%s%c", hookline_version(), '\0');
    write_fact(out, "Source", entry->source);
    write_fact(out, "Scheme", entry->scheme);
    write_fact(out, "Id", entry->id);
    write_fact(out, "Type", entry->type);
    write_number(out, "Seq", entry->seq);
    if (entry->signed_at >= 0)
        write_number(out, "Signed-At", entry->signed_at);
    write_number(out, "Received-At", entry->received_us / 1000000);
    write_number(out, "Attempt", tries);
}

/* The id is the same at each attempt, and another one in another store, where seq begins anew. */
static bool write_signature(FILE *out, const struct entry *entry, const struct destination *d,
                            int64_t now_s)
{
    hookline_request view = {.body = entry->body};
    hookline_signature signature;
    char id[64];
    int len = snprintf(id, sizeof(id), "hl_%" PRId64 "_%" PRIx64, entry->seq,
                       (uint64_t)entry->received_us);

    if (d->signer == NULL)
        return true;
    if (hookline_sign(d->signer, &view, (hookline_bytes){id, (size_t)len}, now_s, &signature) < 0)
        return false;
    for (size_t i = 0; i < signature.headers.count; i++) {
        const hookline_header *h = &signature.headers.entries[i];

        write_header(out, (hookline_bytes){h->name, strlen(h->name)}, h->value);
    }
    return true;
}

/* A text of `len` bytes, each part of which ends with a NUL. */
static const char **split(const char *text, size_t len)
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

struct outgoing outgoing_new(const struct entry *entry, const struct destination *d, unsigned tries,
                             int64_t now_s)
{
    struct outgoing outgoing = {0};
    size_t len = 0;
    FILE *out = open_memstream(&outgoing.text, &len);
    bool good;

    if (out == NULL)
        return outgoing;
    write_received(out, entry, d);
    write_facts(out, entry, tries);
    good = write_signature(out, entry, d, now_s);
    if (fclose(out) == 0 && good)
        outgoing.headers = split(outgoing.text, len);
    return outgoing;
}

void outgoing_free(struct outgoing *outgoing)
{
    free(outgoing->headers);
    free(outgoing->text);
    *outgoing = (struct outgoing){0};
}
