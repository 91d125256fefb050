/* SPDX-License-Identifier: MIT */
#include "claim.h"

#include <string.h>

#include "content.h"

static bool equals(hookline_bytes bytes, const char *text)
{
    return strlen(text) == bytes.len && memcmp(bytes.base, text, bytes.len) == 0;
}

static bool claim_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static hookline_bytes claim_trim(hookline_bytes text)
{
    while (text.len > 0 && claim_is_blank(text.base[0]))
        text = (hookline_bytes){text.base + 1, text.len - 1};
    while (text.len > 0 && claim_is_blank(text.base[text.len - 1]))
        text.len--;
    return text;
}

/* Cuts `text` at the first `separator`: returns the part before it and sets *rest to the part after
 * it, or to a NULL base if there is no separator. */
static hookline_bytes cut(hookline_bytes text, char separator, hookline_bytes *rest)
{
    const char *at = memchr(text.base, separator, text.len);

    if (at == NULL) {
        *rest = (hookline_bytes){0};
        return text;
    }
    *rest = (hookline_bytes){at + 1, text.len - (size_t)(at + 1 - text.base)};
    return (hookline_bytes){text.base, (size_t)(at - text.base)};
}

static bool strip_prefix(hookline_bytes *text, const char *prefix)
{
    size_t len = strlen(prefix);

    if (text->len < len || memcmp(text->base, prefix, len) != 0)
        return false;
    *text = (hookline_bytes){text->base + len, text->len - len};
    return true;
}

/* Skips entries of other key versions, because senders add them while they rotate keys. */
static int add_signature(struct claim *claim, const struct scheme *s, hookline_bytes text)
{
    size_t len;

    if (!s->signature.prefix_whole && !strip_prefix(&text, s->signature.prefix))
        return 0;
    if (claim->signatures == CLAIM_SIGNATURES_MAX)
        return HOOKLINE_BAD_SIGNATURE_FORMAT;
    if (hookline_codec_decode_public(s->signature.encoding, text,
                                     claim->signature[claim->signatures], MAC_SIZE, &len) &&
        len == MAC_SIZE)
        claim->signatures++;
    return 0;
}

static int read_tagged(struct claim *claim, const struct scheme *s, hookline_bytes item)
{
    hookline_bytes value, tag = cut(item, ',', &value);

    return value.base != NULL && equals(tag, s->signature.key) ? add_signature(claim, s, value) : 0;
}

static int claim_read_pair(struct claim *claim, const struct scheme *s, hookline_bytes item)
{
    hookline_bytes value, key = claim_trim(cut(item, '=', &value));

    if (value.base == NULL)
        return HOOKLINE_BAD_SIGNATURE_FORMAT;
    value = claim_trim(value);
    if (equals(key, s->signature.key))
        return add_signature(claim, s, value);
    if (s->timestamp.source == FROM_PAIR && equals(key, s->timestamp.name[0])) {
        if (claim->timestamp.base != NULL)
            return HOOKLINE_BAD_SIGNATURE_FORMAT;
        claim->timestamp = value;
    }
    return 0;
}

static int read_item(struct claim *claim, const struct scheme *s, hookline_bytes item)
{
    switch (s->signature.list) {
    case LIST_TAGGED:
        return read_tagged(claim, s, item);
    case LIST_PAIRS:
        return claim_read_pair(claim, s, item);
    case LIST_NONE:
    case LIST_BARE:
        break;
    }
    return add_signature(claim, s, item);
}

static int read_signatures(struct claim *claim, const struct scheme *s, hookline_bytes value)
{
    int code = 0;

    if (value.len > CLAIM_HEADER_MAX ||
        (s->signature.prefix_whole && !strip_prefix(&value, s->signature.prefix)))
        return HOOKLINE_BAD_SIGNATURE_FORMAT;
    if (s->signature.list == LIST_NONE)
        return add_signature(claim, s, value);
    while (value.base != NULL && code == 0) {
        hookline_bytes item = cut(value, s->signature.separator, &value);

        code = read_item(claim, s, claim_trim(item));
    }
    return code;
}

static int read_signature_headers(struct claim *claim, const struct scheme *s, unsigned set,
                                  const hookline_request *req)
{
    hookline_bytes value;
    int code = hookline_content_header(req, s->signature.name[set], &value);

    if (code == 0)
        code = read_signatures(claim, s, value);
    if (code == 0 && s->signature.also != NULL) {
        code = hookline_content_header(req, s->signature.also, &value);
        code = code == HOOKLINE_MISSING_HEADER ? 0
               : code != 0                     ? code
                                               : read_signatures(claim, s, value);
    }
    if (code == 0 && claim->signatures == 0)
        code = HOOKLINE_BAD_SIGNATURE_FORMAT;
    return code;
}

static int read_timestamp(struct claim *claim, const struct scheme *s, unsigned set,
                          const hookline_request *req)
{
    int code = 0;

    if (s->timestamp.source == FROM_NOWHERE || s->timestamp.source == FROM_BODY)
        return 0;
    if (s->timestamp.source == FROM_HEADER)
        code = hookline_content_header(req, s->timestamp.name[set], &claim->timestamp);
    else if (claim->timestamp.base == NULL)
        code = HOOKLINE_BAD_SIGNATURE_FORMAT;
    if (code == 0 &&
        !hookline_timestamp_read(s->timestamp.unit, claim->timestamp, &claim->signed_at))
        code = HOOKLINE_BAD_TIMESTAMP;
    return code;
}

static int claim_read_id(struct claim *claim, const struct scheme *s, unsigned set,
                         const hookline_request *req)
{
    int code;

    if (s->id.source != FROM_HEADER)
        return 0;
    code = hookline_content_header(req, s->id.name[set], &claim->id);
    if (code == 0 && !hookline_content_id_is_sound(claim->id))
        code = HOOKLINE_BAD_ID;
    return code;
}

static bool has_any_of_set(const struct scheme *s, unsigned set, const hookline_request *req)
{
    hookline_bytes ignored;

    return req->find_header(req->headers, s->signature.name[set], &ignored) > 0 ||
           (s->timestamp.source == FROM_HEADER &&
            req->find_header(req->headers, s->timestamp.name[set], &ignored) > 0) ||
           (s->id.source == FROM_HEADER &&
            req->find_header(req->headers, s->id.name[set], &ignored) > 0);
}

/* Rejects a mixture of old and new header names, so that an attacker cannot choose among them. */
static int choose_set(const struct scheme *s, const hookline_request *req, unsigned *set)
{
    bool found = false;

    *set = 0;
    if (s->sets == 1)
        return 0;
    for (unsigned i = 0; i < s->sets; i++) {
        if (!has_any_of_set(s, i, req))
            continue;
        if (found)
            return HOOKLINE_AMBIGUOUS_HEADER;
        found = true;
        *set = i;
    }
    return 0;
}

int hookline_claim_read(struct claim *claim, const struct scheme *s, const hookline_request *req)
{
    unsigned set;
    int code = choose_set(s, req, &set);

    claim->timestamp = claim->id = (hookline_bytes){0};
    claim->signed_at = -1;
    claim->signatures = 0;
    if (code == 0)
        code = read_signature_headers(claim, s, set, req);
    if (code == 0)
        code = read_timestamp(claim, s, set, req);
    if (code == 0)
        code = claim_read_id(claim, s, set, req);
    if (code == 0)
        code = hookline_content_gather(s, req, claim->timestamp, claim->id, claim->content);
    return code;
}
