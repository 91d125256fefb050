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

/* Returns true for parts whose bytes the sender chooses freely. A timestamp has a fixed grammar;
 * the receiver knows method and URL. */
static bool is_free(enum part_kind kind)
{
    return kind == PART_ID || kind == PART_HEADER || kind == PART_BODY;
}

/* Returns true for parts that end at a known place. A method or a numeric time does not, because
 * its characters could belong to the adjacent part. */
static bool separates(const struct scheme *s, enum part_kind kind)
{
    return kind == PART_LITERAL || kind == PART_URL ||
           (kind == PART_TIMESTAMP && s->timestamp.unit == TIME_RFC3339);
}

/* Returns true if two free parts touch: bytes could move from one to the other under the same
 * signature. */
static bool parts_run_together(const struct scheme *s)
{
    bool open = false;

    for (size_t i = 0; i < s->parts; i++) {
        if (is_free(s->content[i].kind) && open)
            return true;
        if (is_free(s->content[i].kind))
            open = true;
        else if (separates(s, s->content[i].kind))
            open = false;
    }
    return false;
}

static bool may_be_a_digit(const struct part *part, size_t nearest)
{
    return part->kind != PART_LITERAL || (part->text[nearest] >= '0' && part->text[nearest] <= '9');
}

/* Returns true if a digit could extend a time of unit any. Seconds and milliseconds of one moment
 * begin with the same digits, so both readings would lie in the window. */
static bool time_has_no_end(const struct scheme *s)
{
    for (size_t i = 0; i < s->parts; i++) {
        const struct part *part = &s->content[i];

        if (part->kind == PART_TIMESTAMP && s->timestamp.unit == TIME_ANY &&
            ((i > 0 && may_be_a_digit(part - 1, part[-1].len - 1)) ||
             (i + 1 < s->parts && may_be_a_digit(part + 1, 0))))
            return true;
    }
    return false;
}

static const char *content_danger(const struct scheme *s)
{
    if (s->parts == 0)
        return "no content clause: add one, such as content {timestamp}.{body}";
    if (count_parts(s, PART_BODY) != 1)
        return "content must contain {body} exactly once, or the body is not signed";
    if (count_parts(s, PART_TIMESTAMP) > 1 || count_parts(s, PART_ID) > 1)
        return "content must contain {timestamp} and {id} at most once";
    if (parts_run_together(s))
        return "content must separate {id}, {header:...} and {body} from each other";
    if (time_has_no_end(s))
        return "content must separate a {timestamp} of unit any from adjacent digits";
    return NULL;
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
