/* SPDX-License-Identifier: MIT
 *
 * A reader of JSON, RFC 8259. Each take_ function returns the value or MEMBER_MALFORMED.
 */
#include "member.h"

#include <string.h>

#include "codec.h"

enum {
    DEPTH_MAX = 1000, /* limit of cJSON */
    NUMBER_MAX = 63,  /* characters; limit of cJSON */
};

static const struct member malformed = {.kind = MEMBER_MALFORMED};

struct cursor {
    const char *at, *end;
    unsigned depth;
};

static struct member take_value(struct cursor *c);

static bool looking_at(const struct cursor *c, char wanted)
{
    return c->at < c->end && *c->at == wanted;
}

static void skip_space(struct cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'))
        c->at++;
}

static bool member_take_char(struct cursor *c, char wanted)
{
    skip_space(c);
    if (!looking_at(c, wanted))
        return false;
    c->at++;
    return true;
}

static struct member between(enum member_kind kind, const char *from, const char *to)
{
    return (struct member){.kind = kind, .text = {from, (size_t)(to - from)}};
}

/* Reads the four digits after \u. */
static bool take_unit(struct cursor *c, unsigned *unit)
{
    *unit = 0;
    if (c->end - c->at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        unsigned digit = hookline_codec_hex_digit(*c->at++);

        if (digit > 15)
            return false;
        *unit = *unit << 4 | digit;
    }
    return true;
}

/* Starts after the backslash. */
static bool take_escape(struct cursor *c)
{
    unsigned unit;

    if (c->at == c->end)
        return false;
    if (*c->at != 'u')
        return *c->at != '\0' && strchr("\"\\/bfnrt", *c->at++) != NULL;
    c->at++;
    if (!take_unit(c, &unit))
        return false;
    if (unit < 0xd800 || unit > 0xdfff)
        return true;
    if (unit > 0xdbff || c->end - c->at < 6 || c->at[0] != '\\' || c->at[1] != 'u')
        return false;
    c->at += 2;
    return take_unit(c, &unit) && unit >= 0xdc00 && unit <= 0xdfff;
}

/* Skips plain characters in blocks of 32. The inner loop has no exit, so that the compiler can
 * vectorize it. */
static void skip_plain_blocks(struct cursor *c)
{
    enum {
        BLOCK = 32
    };

    while (c->end - c->at >= BLOCK) {
        unsigned char special = 0;

        for (int i = 0; i < BLOCK; i++) {
            unsigned char b = (unsigned char)c->at[i];

            special |= (b < 0x20) | (b == '"') | (b == '\\');
        }
        if (special)
            return;
        c->at += BLOCK;
    }
}

/* Starts after the opening quote. */
static struct member take_string(struct cursor *c)
{
    const char *start = c->at;
    bool escaped = false;
    struct member string;

    skip_plain_blocks(c);
    while (c->at < c->end && *c->at != '"') {
        if ((unsigned char)*c->at < 0x20)
            return malformed;
        if (*c->at++ != '\\')
            continue;
        escaped = true;
        if (!take_escape(c))
            return malformed;
    }
    if (c->at == c->end)
        return malformed;
    string = between(MEMBER_STRING, start, c->at++);
    string.escaped = escaped;
    return string;
}

static bool take_digits(struct cursor *c)
{
    const char *start = c->at;

    while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
        c->at++;
    return c->at > start;
}

static struct member member_take_number(struct cursor *c)
{
    const char *start = c->at;

    if (looking_at(c, '-'))
        c->at++;
    if (looking_at(c, '0'))
        c->at++;
    else if (!take_digits(c))
        return malformed;
    if (looking_at(c, '.') && (c->at++, !take_digits(c)))
        return malformed;
    if (looking_at(c, 'e') || looking_at(c, 'E')) {
        c->at++;
        if (looking_at(c, '+') || looking_at(c, '-'))
            c->at++;
        if (!take_digits(c))
            return malformed;
    }
    return c->at - start > NUMBER_MAX ? malformed : between(MEMBER_NUMBER, start, c->at);
}

static struct member member_take_word(struct cursor *c, const char *word, enum member_kind kind)
{
    const char *start = c->at;
    size_t len = strlen(word);

    if ((size_t)(c->end - c->at) < len || memcmp(start, word, len) != 0)
        return malformed;
    c->at += len;
    return between(kind, start, c->at);
}

/* Returns the character of an escape in a well-formed string; starts after the backslash. Returns
 * 0x100 beyond ASCII, because member names of schemes are ASCII. */
static unsigned unescape(struct cursor *c)
{
    const unsigned not_ours = 0x100;
    static const char letters[] = "bfnrt", meaning[] = "\b\f\n\r\t";
    const char *letter;
    unsigned unit;

    if (*c->at == 'u') {
        c->at++;
        take_unit(c, &unit);
        return unit < 0x80 ? unit : not_ours;
    }
    letter = strchr(letters, *c->at);
    unit = (unsigned char)(letter == NULL ? *c->at : meaning[letter - letters]);
    c->at++;
    return unit;
}

/* Compares a key after undoing its escapes, so that this reader and a full JSON parser find the
 * same member. */
static bool member_name_is(struct member key, hookline_bytes name)
{
    struct cursor c = {key.text.base, key.text.base + key.text.len, 0};
    size_t done = 0;

    if (!key.escaped)
        return key.text.len == name.len && memcmp(key.text.base, name.base, name.len) == 0;
    for (; c.at < c.end && done < name.len; done++) {
        unsigned character = (unsigned char)*c.at++;

        if (character == '\\')
            character = unescape(&c);
        if (character != (unsigned char)name.base[done])
            return false;
    }
    return c.at == c.end && done == name.len;
}

/* Starts after the opening brace; reads up to and including the member `name`, or to the closing
 * brace. */
static struct member take_members(struct cursor *c, const hookline_bytes *name)
{
    if (member_take_char(c, '}'))
        return (struct member){.kind = MEMBER_ABSENT};
    do {
        struct member key, value;

        if (!member_take_char(c, '"') || (key = take_string(c)).kind == MEMBER_MALFORMED ||
            !member_take_char(c, ':') || (value = take_value(c)).kind == MEMBER_MALFORMED)
            return malformed;
        if (name != NULL && member_name_is(key, *name))
            return value;
    } while (member_take_char(c, ','));
    return member_take_char(c, '}') ? (struct member){.kind = MEMBER_ABSENT} : malformed;
}

/* Starts after the opening bracket. */
static bool take_elements(struct cursor *c)
{
    if (member_take_char(c, ']'))
        return true;
    do {
        if (take_value(c).kind == MEMBER_MALFORMED)
            return false;
    } while (member_take_char(c, ','));
    return member_take_char(c, ']');
}

static struct member take_nested(struct cursor *c)
{
    const char *start = c->at;
    bool object = *c->at++ == '{';
    bool whole;

    if (++c->depth > DEPTH_MAX)
        return malformed;
    whole = object ? take_members(c, NULL).kind == MEMBER_ABSENT : take_elements(c);
    c->depth--;
    return whole ? between(object ? MEMBER_OBJECT : MEMBER_OTHER, start, c->at) : malformed;
}

static struct member take_value(struct cursor *c)
{
    skip_space(c);
    if (c->at == c->end)
        return malformed;
    switch (*c->at) {
    case '"':
        c->at++;
        return take_string(c);
    case '{':
    case '[':
        return take_nested(c);
    case 't':
        return member_take_word(c, "true", MEMBER_OTHER);
    case 'f':
        return member_take_word(c, "false", MEMBER_OTHER);
    case 'n':
        return member_take_word(c, "null", MEMBER_NULL);
    default:
        return member_take_number(c);
    }
}

static struct member find_here(hookline_bytes json, hookline_bytes name)
{
    struct cursor c = {json.base, json.base, 1};

    if (json.len == 0)
        return malformed;
    c.end += json.len;
    return member_take_char(&c, '{') ? take_members(&c, &name) : malformed;
}

struct member hookline_member_find(hookline_bytes json, const char *path)
{
    for (;;) {
        size_t len = strcspn(path, ".");
        struct member found = find_here(json, (hookline_bytes){path, len});

        if (path[len] == '\0' || found.kind == MEMBER_MALFORMED || found.kind == MEMBER_ABSENT)
            return found;
        if (found.kind != MEMBER_OBJECT)
            return (struct member){.kind = MEMBER_ABSENT};
        json = found.text;
        path += len + 1;
    }
}

bool hookline_member_is_object(hookline_bytes json)
{
    struct cursor c = {json.base, json.base, 0};

    if (json.len == 0)
        return false;
    c.end += json.len;
    if (take_value(&c).kind != MEMBER_OBJECT)
        return false;
    skip_space(&c);
    return c.at == c.end;
}
