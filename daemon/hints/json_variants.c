/* SPDX-License-Identifier: MIT */
#include "daemon/hints/json_variants.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "daemon/base/text.h"

struct json_variant_spacing {
    const char *comma, *colon;
    const char *indent; /* NULL: one line */
};

static const struct json_variant_spacing json_variant_spacings[] = {
    {",", ":", NULL},  {", ", ": ", NULL}, /* Python */
    {",", ": ", "  "}, {",", ": ", "    "}, {",", ": ", "\t"},
};

struct json_variant_escaping {
    bool kept;   /* keep strings as they are */
    bool ascii;  /* escape non-ASCII */
    bool slash;  /* escape "/" */
    bool angles; /* escape < > & U+2028 U+2029 */
};

static const struct json_variant_escaping json_variant_escapings[] = {
    {.kept = true},
    {.kept = false},
    {.ascii = true},                /* Python */
    {.ascii = true, .slash = true}, /* PHP */
    {.angles = true},               /* Go, Rails */
};

enum {
    SPACINGS = sizeof(json_variant_spacings) / sizeof(json_variant_spacings[0]),
    ESCAPINGS = sizeof(json_variant_escapings) / sizeof(json_variant_escapings[0]),
    DEPTH_MAX = 100,
    NO_CHARACTER = 0x110000, /* plus a byte: not a character, copy the byte */
};

struct json_variant_writer {
    const struct json_variant_spacing *spacing;
    const struct json_variant_escaping *escaping;
    char *out;
    size_t len, size;
    unsigned depth;
    bool full;
};

static void json_variant_put(struct json_variant_writer *w, const char *text, size_t len)
{
    if (w->full || w->size - w->len < len) {
        w->full = true;
        return;
    }
    memcpy(w->out + w->len, text, len);
    w->len += len;
}

/* ---- strings */

/* Returns the value of a "\uXXXX" escape, or UINT32_MAX. */
static uint32_t json_variant_read_unit(const char *text, size_t len)
{
    uint32_t unit = 0;

    if (len < 6 || text[0] != '\\' || text[1] != 'u')
        return UINT32_MAX;
    for (int i = 2; i < 6; i++) {
        static const char digits[] = "0123456789abcdefABCDEF";
        const char *digit = text[i] == '\0' ? NULL : strchr(digits, text[i]);

        if (digit == NULL)
            return UINT32_MAX;
        unit = unit * 16 + (uint32_t)(digit - digits) - (digit - digits >= 16 ? 6 : 0);
    }
    return unit;
}

/* Reads an escape and returns its length. A lone backslash has length 1. Templates that escape text for
 * JavaScript write \' although JSON has no such escape. */
static size_t json_variant_read_escape(const char *text, size_t len, uint32_t *character)
{
    static const char names[] = "\"\\/bfnrt'", meanings[] = "\"\\/\b\f\n\r\t'";
    const char *name = len < 2 || text[1] == '\0' ? NULL : strchr(names, text[1]);
    uint32_t unit = json_variant_read_unit(text, len), low;

    if (name != NULL) {
        *character = (unsigned char)meanings[name - names];
        return 2;
    }
    if (unit > 0xffff) {
        *character = NO_CHARACTER + '\\';
        return 1;
    }
    *character = unit;
    if (unit < 0xd800 || unit > 0xdbff)
        return 6;
    low = json_variant_read_unit(text + 6, len - 6);
    if (low < 0xdc00 || low > 0xdfff)
        return 6;
    *character = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    return 12;
}

static size_t json_variant_read_char(const char *text, size_t len, uint32_t *character)
{
    unsigned char lead = (unsigned char)text[0];
    size_t n = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

    if (lead == '\\')
        return json_variant_read_escape(text, len, character);
    if (n > len || !text_is_utf8(text, n)) {
        *character = NO_CHARACTER + lead;
        return 1;
    }
    *character = n == 1 ? lead : lead & (0x7fu >> n);
    for (size_t i = 1; i < n; i++)
        *character = *character << 6 | (text[i] & 0x3f);
    return n;
}

static void json_variant_put_utf8(struct json_variant_writer *w, uint32_t c)
{
    char text[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        text[i] = (char)(0x80 | (c & 0x3f));
    text[0] = (char)(n == 1 ? c : (0xf00u >> n & 0xff) | c);
    json_variant_put(w, text, n);
}

static void json_variant_put_unit(struct json_variant_writer *w, uint32_t unit)
{
    static const char digits[] = "0123456789abcdef";
    const char text[6] = {'\\',
                          'u',
                          digits[unit >> 12 & 15],
                          digits[unit >> 8 & 15],
                          digits[unit >> 4 & 15],
                          digits[unit & 15]};

    json_variant_put(w, text, sizeof(text));
}

static void json_variant_put_units(struct json_variant_writer *w, uint32_t c)
{
    if (c > 0xffff) {
        json_variant_put_unit(w, 0xd800 + ((c - 0x10000) >> 10));
        json_variant_put_unit(w, 0xdc00 + (c & 0x3ff));
    } else {
        json_variant_put_unit(w, c);
    }
}

static bool json_variant_needs_units(const struct json_variant_escaping *e, uint32_t c)
{
    return c < 0x20 || (c >= 0xd800 && c <= 0xdfff) || (e->ascii && c >= 0x7f) ||
           (e->angles && (c == '<' || c == '>' || c == '&' || c == 0x2028 || c == 0x2029));
}

static void json_variant_put_char(struct json_variant_writer *w, uint32_t c)
{
    static const char named[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
    const char *found = c == 0 || c >= 0x80 ? NULL : strchr(named, (int)c);
    char text[2] = {'\\', (char)c};

    if (c >= NO_CHARACTER) {
        json_variant_put(w, text + 1, 1);
    } else if (found != NULL) {
        text[1] = names[found - named];
        json_variant_put(w, text, 2);
    } else if (json_variant_needs_units(w->escaping, c)) {
        json_variant_put_units(w, c);
    } else if (c == '/' && w->escaping->slash) {
        json_variant_put(w, text, 2);
    } else {
        json_variant_put_utf8(w, c);
    }
}

/* Returns the number of bytes to copy as they are: the rest of the string, or bytes that no
 * serializer escapes. */
static size_t json_variant_kept_length(const struct json_variant_escaping *e, const char *text,
                                       size_t len)
{
    size_t n = 0;

    while (e->kept && n < len && text[n] != '"')
        n += text[n] == '\\' && n + 1 < len ? 2 : 1;
    while (!e->kept && n < len && text[n] >= 0x20 && text[n] < 0x7f && text[n] != '"' &&
           text[n] != '\\' && text[n] != '/' && text[n] != '<' && text[n] != '>' && text[n] != '&')
        n++;
    return n;
}

/* Copies a string with its quotes. Returns the number of bytes read. */
static size_t json_variant_put_string(struct json_variant_writer *w, const char *text, size_t len)
{
    size_t i = 1;

    json_variant_put(w, "\"", 1);
    while (i < len && text[i] != '"') {
        size_t n = json_variant_kept_length(w->escaping, text + i, len - i);
        uint32_t c;

        if (n > 0) {
            json_variant_put(w, text + i, n);
        } else {
            n = json_variant_read_char(text + i, len - i, &c);
            json_variant_put_char(w, c);
        }
        i += n;
    }
    if (i == len)
        return len;
    json_variant_put(w, "\"", 1);
    return i + 1;
}

/* ---- white space and punctuation */

static bool json_variant_is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void json_variant_put_line_end(struct json_variant_writer *w)
{
    const char *indent = w->spacing->indent;

    if (indent == NULL)
        return;
    json_variant_put(w, "\n", 1);
    /* Deeper nesting would make the indentation quadratic. */
    w->full |= w->depth > DEPTH_MAX;
    for (unsigned i = 0; i < w->depth && !w->full; i++)
        json_variant_put(w, indent, strlen(indent));
}

/* Returns true if the object or array that begins before `text` is empty. */
static bool json_variant_is_empty(const char *text, size_t len)
{
    size_t i = 0;

    while (i < len && json_variant_is_white(text[i]))
        i++;
    return i < len && (text[i] == '}' || text[i] == ']');
}

static size_t json_variant_put_token(struct json_variant_writer *w, const char *text, size_t len)
{
    switch (text[0]) {
    case '"':
        return json_variant_put_string(w, text, len);
    case '{':
    case '[':
        json_variant_put(w, text, 1);
        w->depth++;
        if (!json_variant_is_empty(text + 1, len - 1))
            json_variant_put_line_end(w);
        break;
    case '}':
    case ']':
        w->depth -= w->depth > 0;
        if (w->len > 0 && w->out[w->len - 1] != '{' && w->out[w->len - 1] != '[')
            json_variant_put_line_end(w);
        json_variant_put(w, text, 1);
        break;
    case ',':
        json_variant_put(w, w->spacing->comma, strlen(w->spacing->comma));
        json_variant_put_line_end(w);
        break;
    case ':':
        json_variant_put(w, w->spacing->colon, strlen(w->spacing->colon));
        break;
    default:
        if (!json_variant_is_white(text[0]))
            json_variant_put(w, text, 1);
        break;
    }
    return 1;
}

unsigned json_variants_count(void)
{
    return SPACINGS * ESCAPINGS;
}

size_t json_variants_write(unsigned n, hookline_bytes json, char *out, size_t size)
{
    struct json_variant_writer w = {
        .spacing = &json_variant_spacings[n / ESCAPINGS % SPACINGS],
        .escaping = &json_variant_escapings[n % ESCAPINGS],
        .out = out,
        .size = size,
    };

    for (size_t i = 0; i < json.len && !w.full;)
        i += json_variant_put_token(&w, json.base + i, json.len - i);
    return w.full ? 0 : w.len;
}

/* ---- strings in JSON */

bool json_variants_next_string(hookline_bytes *json, hookline_bytes *string)
{
    const char *quote = memchr(json->base, '"', json->len);
    size_t len = 0, left;

    if (quote == NULL)
        return false;
    left = json->len - (size_t)(++quote - json->base);
    while (len < left && quote[len] != '"')
        len += quote[len] == '\\' && len + 1 < left ? 2 : 1;
    if (len == left)
        return false;
    *string = (hookline_bytes){quote, len};
    *json = (hookline_bytes){quote + len + 1, left - len - 1};
    return true;
}

size_t json_variants_decode(hookline_bytes string, char *out)
{
    struct json_variant_writer w = {.out = out, .size = string.len};
    uint32_t c;

    for (size_t i = 0; i < string.len;) {
        i += json_variant_read_char(string.base + i, string.len - i, &c);
        if (c >= NO_CHARACTER)
            w.out[w.len++] = (char)(c - NO_CHARACTER);
        else
            json_variant_put_utf8(&w, c);
    }
    return w.len;
}
