/* SPDX-License-Identifier: MIT
 *
 * A reader of JSON, RFC 8259. No function calls itself, so that the stack does not grow with the
 * document. Each take_ function returns the value or MEMBER_MALFORMED; the cursor then stands at the
 * first character that does not fit.
 */
#include "member.h"

#include <string.h>

#include "codec.h"

static const struct member malformed = {.kind = MEMBER_MALFORMED};

struct cursor {
    const char *at, *end;
};

/* Starts behind a byte order mark, which RFC 8259, section 8.1, permits readers to ignore. */
static struct cursor cursor_of(hookline_bytes json)
{
    if (json.len >= 3 && memcmp(json.base, "\xef\xbb\xbf", 3) == 0)
        return (struct cursor){json.base + 3, json.base + json.len};
    return (struct cursor){json.base, json.len == 0 ? json.base : json.base + json.len};
}

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

/* ---- strings */

/* Reads the four digits after \u. */
static bool take_unit(struct cursor *c, unsigned *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, c->at++) {
        unsigned digit = c->at == c->end ? 16 : hookline_codec_hex_digit(*c->at);

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

    if (looking_at(c, 'u')) {
        c->at++;
        return take_unit(c, &unit);
    }
    if (c->at == c->end || *c->at == '\0' || strchr("\"\\/bfnrt", *c->at) == NULL)
        return false;
    c->at++;
    return true;
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

static size_t member_put_utf8(unsigned point, char out[4])
{
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

    for (size_t i = len; i-- > 1; point >>= 6)
        out[i] = (char)(0x80 | (point & 0x3f));
    out[0] = (char)(first[len] | point);
    return len;
}

/* Decodes the rest of an escape \u of a well-formed string; starts at the digits. */
static size_t decode_unit(struct cursor *c, char out[4])
{
    const unsigned replacement = 0xfffd;
    struct cursor ahead;
    unsigned unit, low;

    take_unit(c, &unit);
    if (unit < 0xd800 || unit > 0xdfff)
        return member_put_utf8(unit, out);
    ahead = *c;
    if (unit < 0xdc00 && looking_at(&ahead, '\\') && ahead.at[1] == 'u') {
        ahead.at += 2;
        take_unit(&ahead, &low);
        if (low >= 0xdc00 && low <= 0xdfff) {
            *c = ahead;
            return member_put_utf8(0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff), out);
        }
    }
    return member_put_utf8(replacement, out);
}

/* Decodes one byte or one escape of a well-formed string; returns the number of bytes. */
static size_t decode_next(struct cursor *c, char out[4])
{
    static const char letters[] = "bfnrt", meaning[] = "\b\f\n\r\t";
    const char *letter;

    out[0] = *c->at++;
    if (out[0] != '\\')
        return 1;
    out[0] = *c->at++;
    if (out[0] == 'u')
        return decode_unit(c, out);
    if ((letter = strchr(letters, out[0])) != NULL)
        out[0] = meaning[letter - letters];
    return 1;
}

static bool has_text(struct member m)
{
    return m.kind == MEMBER_STRING || m.kind == MEMBER_NUMBER;
}

size_t hookline_member_decode(struct member m, char *out)
{
    struct cursor c = {m.text.base, m.text.base + m.text.len};
    char *to = out;

    if (!has_text(m))
        return 0;
    if (!m.escaped) {
        memcpy(out, m.text.base, m.text.len);
        return m.text.len;
    }
    while (c.at < c.end) {
        char character[4];
        size_t len = decode_next(&c, character);

        memcpy(to, character, len);
        to += len;
    }
    return (size_t)(to - out);
}

bool hookline_member_equals(struct member m, hookline_bytes text)
{
    struct cursor c = {m.text.base, m.text.base + m.text.len};
    size_t done = 0, len;
    char character[4];

    if (!has_text(m))
        return false;
    if (!m.escaped)
        return m.text.len == text.len && memcmp(m.text.base, text.base, text.len) == 0;
    for (; c.at < c.end; done += len) {
        len = decode_next(&c, character);
        if (text.len - done < len || memcmp(text.base + done, character, len) != 0)
            return false;
    }
    return done == text.len;
}

/* ---- numbers and words */

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
    return between(MEMBER_NUMBER, start, c->at);
}

static struct member member_take_word(struct cursor *c, const char *word, enum member_kind kind)
{
    const char *start = c->at;

    for (; *word != '\0'; word++, c->at++)
        if (!looking_at(c, *word))
            return malformed;
    return between(kind, start, c->at);
}

/* Reads a value that is neither an object nor an array. */
static struct member take_scalar(struct cursor *c)
{
    if (c->at == c->end)
        return malformed;
    switch (*c->at) {
    case '"':
        c->at++;
        return take_string(c);
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

/* Reads a name and the colon after it. */
static struct member take_key(struct cursor *c)
{
    struct member key = malformed;

    if (member_take_char(c, '"'))
        key = take_string(c);
    return key.kind == MEMBER_MALFORMED || member_take_char(c, ':') ? key : malformed;
}

/* ---- one member */

/* Skips an object or array up to the bracket that closes it. If the document ends first, or a string
 * is damaged, the value is the rest of the document. */
static struct member take_nested(struct cursor *c)
{
    enum member_kind kind = *c->at == '{' ? MEMBER_OBJECT : MEMBER_OTHER;
    const char *start = c->at;
    size_t depth = 0;

    do {
        char b = *c->at++;

        if (b == '{' || b == '[')
            depth++;
        else if (b == '}' || b == ']')
            depth--;
        else if (b == '"' && take_string(c).kind == MEMBER_MALFORMED)
            c->at = c->end;
    } while (depth > 0 && c->at < c->end);
    return between(kind, start, c->at);
}

static struct member take_value(struct cursor *c)
{
    skip_space(c);
    return looking_at(c, '{') || looking_at(c, '[') ? take_nested(c) : take_scalar(c);
}

static bool members_differ(struct member a, struct member b)
{
    return a.kind != b.kind || a.text.len != b.text.len ||
           memcmp(a.text.base, b.text.base, a.text.len) != 0;
}

static struct member find_here(hookline_bytes json, hookline_bytes name)
{
    struct cursor c = cursor_of(json);
    struct member found = {.kind = MEMBER_ABSENT}, key, value;

    if (!member_take_char(&c, '{'))
        return malformed;
    if (member_take_char(&c, '}'))
        return found;
    do {
        if ((key = take_key(&c)).kind == MEMBER_MALFORMED ||
            (value = take_value(&c)).kind == MEMBER_MALFORMED)
            return found.kind == MEMBER_ABSENT ? malformed : found;
        if (!hookline_member_equals(key, name))
            continue;
        value.differs =
            found.kind != MEMBER_ABSENT && (found.differs || members_differ(found, value));
        found = value;
    } while (member_take_char(&c, ','));
    return found.kind == MEMBER_ABSENT && !member_take_char(&c, '}') ? malformed : found;
}

struct member hookline_member_find(hookline_bytes json, const char *path)
{
    bool differs = false;

    for (;;) {
        size_t len = strcspn(path, ".");
        struct member found = find_here(json, (hookline_bytes){path, len});

        found.differs = differs = differs || found.differs;
        if (path[len] == '\0' || found.kind == MEMBER_MALFORMED)
            return found;
        if (found.kind != MEMBER_OBJECT)
            return (struct member){.kind = MEMBER_ABSENT};
        json = found.text;
        path += len + 1;
    }
}

/* ---- the whole document */

bool hookline_member_opens_object(hookline_bytes json)
{
    struct cursor c = cursor_of(json);

    return member_take_char(&c, '{');
}

/* The open brackets: a set bit is an object. */
struct nesting {
    unsigned char *levels;
    size_t depth, depth_max;
};

static bool nesting_open(struct nesting *n, bool object)
{
    unsigned char bit = (unsigned char)(1 << n->depth % 8), *level = &n->levels[n->depth / 8];

    if (n->depth == n->depth_max)
        return false;
    *level = (unsigned char)(object ? *level | bit : *level & ~bit);
    n->depth++;
    return true;
}

static bool nesting_is_object(const struct nesting *n)
{
    size_t top = n->depth - 1;

    return n->levels[top / 8] >> top % 8 & 1;
}

/* Closes brackets after a value, and reads the comma and name in front of the next one. The depth is
 * 0 at the end of the document. */
static bool nesting_continue(struct nesting *n, struct cursor *c)
{
    for (; n->depth > 0; n->depth--) {
        if (member_take_char(c, ','))
            return !nesting_is_object(n) || take_key(c).kind != MEMBER_MALFORMED;
        if (!member_take_char(c, nesting_is_object(n) ? '}' : ']'))
            return false;
    }
    return true;
}

/* Reads a scalar, or an opening bracket and the name after it, or an empty object or array. */
static bool nesting_take_value(struct nesting *n, struct cursor *c)
{
    bool object;

    skip_space(c);
    if (!looking_at(c, '{') && !looking_at(c, '['))
        return take_scalar(c).kind != MEMBER_MALFORMED && nesting_continue(n, c);
    object = *c->at++ == '{';
    if (member_take_char(c, object ? '}' : ']'))
        return nesting_continue(n, c);
    if (!nesting_open(n, object)) {
        c->at = c->end;
        return false;
    }
    return !object || take_key(c).kind != MEMBER_MALFORMED;
}

const char *hookline_member_damage(hookline_bytes json, unsigned char *levels)
{
    struct cursor c = cursor_of(json);
    /* A document that closes its brackets is at least twice as long as it is deep. */
    struct nesting n = {levels, 0, json.len / 2};

    skip_space(&c);
    if (c.at == c.end)
        return "empty";
    if (!looking_at(&c, '{'))
        return "not a JSON object";
    do {
        if (!nesting_take_value(&n, &c))
            return c.at == c.end ? "JSON ends early" : "malformed JSON";
    } while (n.depth > 0);
    skip_space(&c);
    return c.at == c.end ? NULL : "text after the JSON object";
}
