/* SPDX-License-Identifier: MIT
 *
 * The safety rules of descriptions. Each rule prevents a forgery that real schemes have permitted.
 */
#include "scheme.h"

#include <string.h>

static size_t count_parts(const struct scheme *s, enum part_kind kind)
{
    size_t n = 0;

    for (size_t i = 0; i < s->parts; i++)
        n += s->content[i].kind == kind;
    return n;
}

/* ---- one reading of the content
 *
 * The parts before {body} are read from the front, those after it from the back, and {body} is the
 * rest. So the content has one reading if each part ends at a known place, seen from {body}'s other
 * side: `inner` is the adjacent part on the side of {body}. The URL is the receiver's and constant;
 * no method begins or ends with another one. content.c refuses other methods, and the values that
 * hold what `inner` begins with.
 *
 * In the replay window all times in seconds have the same number of digits, and so have those in
 * milliseconds. A time of RFC 3339 is recognised from either end. */

static bool part_is_digit(const struct part *literal, size_t at)
{
    return literal->text[at] >= '0' && literal->text[at] <= '9';
}

/* Returns true if `part` ends where `inner` begins, whatever the sender chooses. `at` is the byte of
 * a literal `inner` that touches `part`. */
static bool part_has_end(const struct scheme *s, const struct part *part, const struct part *inner,
                         size_t at)
{
    switch (part->kind) {
    case PART_LITERAL:
    case PART_URL:
    case PART_METHOD:
    case PART_BODY:
        break;
    case PART_TIMESTAMP:
        return s->timestamp.unit != TIME_ANY ||
               (inner->kind == PART_LITERAL && !part_is_digit(inner, at));
    case PART_ID:
    case PART_HEADER:
        return inner->kind == PART_LITERAL || inner->kind == PART_URL ||
               (inner->kind == PART_TIMESTAMP && s->timestamp.unit == TIME_RFC3339);
    }
    return true;
}

/* Returns the first part whose end is unknown, or NULL. */
static const struct part *part_without_end(const struct scheme *s)
{
    const size_t body = hookline_scheme_body(s);

    for (size_t i = 0; i < body; i++)
        if (!part_has_end(s, &s->content[i], &s->content[i + 1], 0))
            return &s->content[i];
    for (size_t i = s->parts - 1; i > body; i--)
        if (!part_has_end(s, &s->content[i], &s->content[i - 1], s->content[i - 1].len - 1))
            return &s->content[i];
    return NULL;
}

static const char *content_danger(const struct scheme *s)
{
    const struct part *loose;

    if (s->parts == 0)
        return "no content clause: add one, such as content {timestamp}.{body}";
    if (count_parts(s, PART_BODY) != 1)
        return "content must contain {body} exactly once, or the body is not signed";
    if (count_parts(s, PART_TIMESTAMP) > 1 || count_parts(s, PART_ID) > 1)
        return "content must contain {timestamp} and {id} at most once";
    if ((loose = part_without_end(s)) == NULL)
        return NULL;
    return loose->kind == PART_TIMESTAMP
               ? "content must separate a {timestamp} of unit any from adjacent digits"
               : "content must separate {id} and {header:...} from the next part on the side of "
                 "{body}: by text, {url} or a {timestamp} of unit rfc3339";
}

static bool too_long(const char *word)
{
    return word != NULL && strlen(word) > SCHEME_WORD_MAX;
}

static const char *signature_danger(const struct scheme *s)
{
    if (s->signature.name[0] == NULL)
        return "no signature clause: add signature HEADER";
    if (s->signature.encoding == ENCODING_TEXT)
        return "no encoding clause: add encoding hex, base64 or base64url";
    if (too_long(s->signature.prefix) || too_long(s->signature.key) ||
        (s->timestamp.source == FROM_PAIR && too_long(s->timestamp.name[0])))
        return "prefix, tag and keys must be at most 32 bytes";
    if (s->signature.also != NULL && s->sets > 1)
        return "signature: also HEADER cannot be combined with alternative names";
    if (s->signature.key != NULL && strpbrk(s->signature.key, ",;= ") != NULL)
        return "list: the tag or key must not contain , ; or =";
    if (s->signature.list != LIST_NONE && !s->signature.prefix_whole &&
        strchr(s->signature.prefix, s->signature.separator) != NULL)
        return "prefix must not contain the separator of the list";
    if (s->signature.prefix_whole && s->signature.list != LIST_BARE)
        return "prefix whole requires list bare";
    return NULL;
}

static const char *timestamp_danger(const struct scheme *s)
{
    bool in_content = hookline_scheme_signs(s, PART_TIMESTAMP);

    switch (s->timestamp.source) {
    case FROM_NOWHERE:
        return in_content ? "content contains {timestamp}: add a timestamp clause" : NULL;
    case FROM_BODY:
        return in_content ? "a timestamp in the body is already signed: remove {timestamp} from "
                            "content"
                          : NULL;
    case FROM_PAIR:
        if (s->signature.list != LIST_PAIRS)
            return "timestamp pair requires list pairs";
        if (strpbrk(s->timestamp.name[0], ",;= ") != NULL)
            return "timestamp: the key must not contain , ; or =";
        if (strcmp(s->timestamp.name[0], s->signature.key) == 0)
            return "timestamp and signature must have different keys";
        break;
    case FROM_HEADER:
        break;
    }
    return in_content
               ? NULL
               : "the timestamp is not in content, so anyone could change it: add {timestamp}";
}

static const char *id_danger(const struct scheme *s)
{
    bool in_content = hookline_scheme_signs(s, PART_ID);

    if (in_content && s->id.source != FROM_HEADER)
        return "content contains {id}: define it with id header NAME";
    if (s->id.source == FROM_HEADER && !in_content && s->id.equals == NULL)
        return "the id is not in content, so anyone could change it: add {id} to content, or "
               "equals PATH to the id clause";
    return NULL;
}

/* Rejects a header with two roles: one value would set both, or the sender could not send it. */
static const char *header_danger(const struct scheme *s)
{
    hookline_header named[4 * SCHEME_SETS_MAX + 1 + SCHEME_PARTS_MAX] = {{0}};
    hookline_header_list all = {named, 0};
    hookline_bytes ignored;

    for (unsigned i = 0; i < s->sets; i++) {
        named[all.count++].name = s->signature.name[i];
        if (s->timestamp.source == FROM_HEADER)
            named[all.count++].name = s->timestamp.name[i];
        if (s->id.source == FROM_HEADER)
            named[all.count++].name = s->id.name[i];
        if (s->delivery[i] != NULL)
            named[all.count++].name = s->delivery[i];
    }
    if (s->signature.also != NULL)
        named[all.count++].name = s->signature.also;
    for (size_t i = 0; i < s->parts; i++)
        if (s->content[i].kind == PART_HEADER)
            named[all.count++].name = s->content[i].text;
    for (size_t i = 0; i < all.count; i++)
        if (hookline_find_in_list(&all, named[i].name, &ignored) > 1)
            return "a header is named twice: each header has one role";
    return NULL;
}

const char *hookline_scheme_danger(const struct scheme *s)
{
    const char *(*const rules[])(const struct scheme *) = {
        signature_danger, content_danger, timestamp_danger, id_danger, header_danger,
    };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        const char *danger = rules[i](s);

        if (danger != NULL)
            return danger;
    }
    return NULL;
}
