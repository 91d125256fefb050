/* SPDX-License-Identifier: MIT
 *
 * A reader of JSON, RFC 8259. Each take_ function returns the value or MEMBER_MALFORMED.
 */
#include "member.h"

#include <string.h>

#include "codec.h"

enum {
    LEVELS_MAX = 4096, /* deeper brackets are counted, and their kinds are not compared */
};

static const struct member malformed = {.kind = MEMBER_MALFORMED};

struct cursor {
    const char *at, *end;
};

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

/* Starts after the backslash. A lone surrogate is valid (RFC 8259, section 8.2). */
static bool take_escape(struct cursor *c)
{
    unsigned unit;

    if (c->at == c->end)
        return false;
    if (*c->at != 'u')
        return *c->at != '\0' && strchr("\"\\/bfnrt", *c->at++) != NULL;
    c->at++;
    return take_unit(c, &unit);
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
    return between(MEMBER_NUMBER, start, c->at);
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

/* Reads the escape after a backslash, and the second one of a surrogate pair. */
static unsigned long take_character(struct cursor *c)
{
    static const char letters[] = "bfnrt", meaning[] = "\b\f\n\r\t";
    const char *letter;
    unsigned high, low;
    struct cursor next;

    if (*c->at != 'u') {
        letter = strchr(letters, *c->at);
        return (unsigned char)(letter == NULL ? *c->at++ : (c->at++, meaning[letter - letters]));
    }
    c->at++;
    take_unit(c, &high);
    next = (struct cursor){c->at + 2, c->end};
    if (high < 0xd800 || high > 0xdbff || c->end - c->at < 6 || memcmp(c->at, "\\u", 2) != 0 ||
        !take_unit(&next, &low) || low < 0xdc00 || low > 0xdfff)
        return high;
    *c = next;
    return 0x10000 + ((unsigned long)(high - 0xd800) << 10) + (low - 0xdc00);
}

/* Compares a key after undoing its escapes, so that this reader and a full JSON parser find the
 * same member. */
static bool member_name_is(struct member key, hookline_bytes name)
{
    struct cursor c = {key.text.base, key.text.base + key.text.len};
    size_t done = 0;

    if (!key.escaped)
        return key.text.len == name.len && memcmp(key.text.base, name.base, name.len) == 0;
    for (; c.at < c.end && done < name.len; done++) {
        unsigned long character = (unsigned char)*c.at++;

        if (character == '\\' && (character = take_character(&c)) >= 0x80)
            return false; /* names of schemes are ASCII */
        if (character != (unsigned char)name.base[done])
            return false;
    }
    return c.at == c.end && done == name.len;
}

static struct member take_scalar(struct cursor *c)
{
    skip_space(c);
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

/* ---- nesting: the open brackets around the cursor, without recursion */

enum bracket {
    BRACKET_ARRAY,
    BRACKET_OBJECT,
    BRACKET_UNKNOWN, /* below LEVELS_MAX */
};

struct nesting {
    size_t depth;
    bool opened; /* the last token was an opening bracket */
    bool is_object[LEVELS_MAX];
};

static enum bracket nesting_top(const struct nesting *n)
{
    size_t level = n->depth - 1;

    if (level >= LEVELS_MAX)
        return BRACKET_UNKNOWN;
    return n->is_object[level] ? BRACKET_OBJECT : BRACKET_ARRAY;
}

static void nesting_open(struct nesting *n, bool object)
{
    size_t level = n->depth++;

    n->opened = true;
    if (level < LEVELS_MAX)
        n->is_object[level] = object;
}

/* Reads a closing bracket of the innermost level. */
static bool nesting_close(struct nesting *n, struct cursor *c)
{
    enum bracket top = nesting_top(n);

    if (!(top != BRACKET_ARRAY && member_take_char(c, '}')) &&
        !(top != BRACKET_OBJECT && member_take_char(c, ']')))
        return false;
    n->depth--;
    n->opened = false;
    return true;
}

static bool take_key(struct cursor *c, struct member *key)
{
    if (!member_take_char(c, '"'))
        return false;
    *key = take_string(c);
    return key->kind == MEMBER_STRING && member_take_char(c, ':');
}

/* Reads the start of an element or member: the comma before it, and its name in an object. */
static bool nesting_take_start(const struct nesting *n, struct cursor *c)
{
    struct cursor before;
    struct member key;

    if (!n->opened && !member_take_char(c, ','))
        return false;
    before = *c;
    if (nesting_top(n) == BRACKET_ARRAY || take_key(c, &key))
        return true;
    *c = before;
    return nesting_top(n) == BRACKET_UNKNOWN;
}

/* Reads a whole array or object; starts at its bracket. */
static struct member take_nested(struct cursor *c)
{
    const char *start = c->at;
    struct nesting n;

    n.depth = 0;
    nesting_open(&n, *c->at++ == '{');
    while (n.depth > 0) {
        if (nesting_close(&n, c))
            continue;
        if (!nesting_take_start(&n, c))
            return malformed;
        skip_space(c);
        if (looking_at(c, '{') || looking_at(c, '['))
            nesting_open(&n, *c->at++ == '{');
        else if (n.opened = false, take_scalar(c).kind == MEMBER_MALFORMED)
            return malformed;
    }
    return between(*start == '{' ? MEMBER_OBJECT : MEMBER_OTHER, start, c->at);
}

static struct member take_value(struct cursor *c)
{
    skip_space(c);
    return looking_at(c, '{') || looking_at(c, '[') ? take_nested(c) : take_scalar(c);
}

/* ---- members */

/* Starts at the first byte of the document, which may be a byte order mark (RFC 8259, section
 * 8.1). */
static struct cursor cursor_open(hookline_bytes json)
{
    struct cursor c = {json.base, json.base};

    if (json.len > 0)
        c.end += json.len;
    if (json.len >= 3 && memcmp(json.base, "\xef\xbb\xbf", 3) == 0)
        c.at += 3;
    return c;
}

static struct member find_here(hookline_bytes json, hookline_bytes name)
{
    struct cursor c = cursor_open(json);
    struct member key, value;

    if (!member_take_char(&c, '{'))
        return malformed;
    if (member_take_char(&c, '}'))
        return (struct member){.kind = MEMBER_ABSENT};
    do {
        if (!take_key(&c, &key) || (value = take_value(&c)).kind == MEMBER_MALFORMED)
            return malformed;
        if (member_name_is(key, name))
            return value;
    } while (member_take_char(&c, ','));
    return member_take_char(&c, '}') ? (struct member){.kind = MEMBER_ABSENT} : malformed;
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

bool hookline_member_is_begun(hookline_bytes json)
{
    struct cursor c = cursor_open(json);

    return member_take_char(&c, '{');
}

const char *hookline_member_problem(hookline_bytes json)
{
    struct cursor c = cursor_open(json);

    skip_space(&c);
    if (c.at == c.end)
        return "the body is empty";
    if (!looking_at(&c, '{'))
        return "the body is not a JSON object";
    if (take_nested(&c).kind == MEMBER_MALFORMED) {
        skip_space(&c);
        return c.at == c.end ? "the JSON object does not end" : "the JSON is malformed";
    }
    skip_space(&c);
    return c.at == c.end ? NULL : "the JSON object is not the end of the body";
}

/* ---- text of strings */

/* Returns the number of bytes of the valid UTF-8 character at `at`, 0 for an invalid one. */
static size_t utf8_length(const unsigned char *at, size_t left)
{
    static const struct {
        unsigned char first, last, from, to; /* of the first byte, and of the second one */
        size_t len;
    } forms[] = {
        {0x01, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (at[0] < forms[i].first || at[0] > forms[i].last)
            continue;
        if (forms[i].len > left ||
            (forms[i].len > 1 && (at[1] < forms[i].from || at[1] > forms[i].to)))
            return 0;
        for (size_t k = 2; k < forms[i].len; k++)
            if ((at[k] & 0xc0) != 0x80)
                return 0;
        return forms[i].len;
    }
    return 0;
}

static char *utf8_write(char *to, unsigned long code)
{
    if (code == 0 || (code >= 0xd800 && code <= 0xdfff))
        code = 0xfffd; /* no character: NUL would end the text */
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xc0 | code >> 6);
        *to++ = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *to++ = (char)(0xe0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (char)(0x80 | (code & 0x3f));
    } else {
        *to++ = (char)(0xf0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 0x3f));
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (char)(0x80 | (code & 0x3f));
    }
    return to;
}

size_t hookline_member_decode(struct member string, char *out)
{
    struct cursor c = {string.text.base, string.text.base + string.text.len};
    char *to = out;

    while (c.at < c.end) {
        size_t len = utf8_length((const unsigned char *)c.at, (size_t)(c.end - c.at));

        if (*c.at == '\\') {
            c.at++;
            to = utf8_write(to, take_character(&c));
        } else if (len == 0) {
            c.at++;
            to = utf8_write(to, 0xfffd);
        } else {
            memcpy(to, c.at, len);
            to += len;
            c.at += len;
        }
    }
    *to = '\0';
    return (size_t)(to - out);
}
