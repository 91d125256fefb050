/* SPDX-License-Identifier: MIT */
#include "daemon/base/json.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "daemon/base/rfc3339.h"
#include "daemon/base/text.h"

static size_t json_escape(char *to, unsigned char c)
{
    static const char names[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                 ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};

    to[0] = '\\';
    if (c < sizeof(names) && names[c] != '\0') {
        to[1] = names[c];
        return 2;
    }
    return (size_t)snprintf(to, 7, "\\u%04x", c);
}

/* Counts the leading characters that need no escape, which is most of the text. */
static size_t json_plain_length(const char *text, size_t len)
{
    size_t n = 0;

    while (n < len && text[n] >= 0x20 && text[n] < 0x7f && text[n] != '"' && text[n] != '\\')
        n++;
    return n;
}

/* Writes a character that may need an escape. Returns its length in `text`. */
static size_t json_put_special(char **to, const char *text, size_t len)
{
    size_t n;

    if (text_decode_char(text, len, &n) == TEXT_NO_CHAR) {
        memcpy(*to, "\\ufffd", 6);
        *to += 6;
        return 1;
    }
    if (n == 1) {
        *to += json_escape(*to, (unsigned char)*text);
        return 1;
    }
    memcpy(*to, text, n);
    *to += n;
    return n;
}

static void json_put_escaped(struct json_writer *json, const char *text, size_t len)
{
    const size_t longest = 6; /* escape of one byte */
    char *to = buffer_reserve(&json->text, len > SIZE_MAX / longest ? SIZE_MAX : longest * len);

    if (to == NULL)
        return;
    for (size_t i = 0; i < len;) {
        size_t n = json_plain_length(text + i, len - i);

        memcpy(to, text + i, n);
        to += n;
        i += n;
        if (i < len)
            i += json_put_special(&to, text + i, len - i);
    }
    json->text.len = (size_t)(to - json->text.base);
}

static void json_put_key(struct json_writer *json, const char *key)
{
    size_t len = strlen(key), longest = len + 4;
    char *to = buffer_reserve(&json->text, longest);

    if (to == NULL)
        return;
    if (json->text.len > 0 && to[-1] != '{')
        *to++ = ',';
    *to++ = '"';
    to = mempcpy(to, key, len);
    *to++ = '"';
    *to++ = ':';
    json->text.len = (size_t)(to - json->text.base);
}

void json_begin(struct json_writer *json)
{
    buffer_truncate(&json->text, 0);
    buffer_append_char(&json->text, '{');
}

void json_text(struct json_writer *json, const char *key, const char *text, size_t len)
{
    json_put_key(json, key);
    if (text == NULL) {
        buffer_append_text(&json->text, "null");
        return;
    }
    buffer_append_char(&json->text, '"');
    json_put_escaped(json, text, len);
    buffer_append_char(&json->text, '"');
}

void json_string(struct json_writer *json, const char *key, const char *text)
{
    json_text(json, key, text, text == NULL ? 0 : strlen(text));
}

/* Not printf(), which would take most of the time of a line. */
static char *json_digits_before(char *end, uint64_t number, int least)
{
    do {
        *--end = (char)('0' + number % 10);
        number /= 10;
    } while (--least > 0 || number > 0);
    return end;
}

void json_number(struct json_writer *json, const char *key, int64_t number)
{
    char text[24], *end = text + sizeof(text), *at;

    at = json_digits_before(end, number < 0 ? 0 - (uint64_t)number : (uint64_t)number, 1);
    if (number < 0)
        *--at = '-';
    json_put_key(json, key);
    buffer_append(&json->text, at, (size_t)(end - at));
}

void json_number_or_null(struct json_writer *json, const char *key, int64_t number)
{
    if (number >= 0)
        json_number(json, key, number);
    else
        json_string(json, key, NULL);
}

void json_bool(struct json_writer *json, const char *key, bool value)
{
    json_put_key(json, key);
    buffer_append_text(&json->text, value ? "true" : "false");
}

void json_base64(struct json_writer *json, const char *key, const char *bytes, size_t len)
{
    size_t size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);
    char *to;

    json_put_key(json, key);
    buffer_append_char(&json->text, '"');
    if ((to = buffer_reserve(&json->text, size)) != NULL) {
        sodium_bin2base64(to, size, (const unsigned char *)bytes, len,
                          sodium_base64_VARIANT_ORIGINAL);
        json->text.len += size - 1;
    }
    buffer_append_char(&json->text, '"');
}

void json_body(struct json_writer *json, const char *bytes, size_t len)
{
    if (text_is_utf8(bytes, len))
        json_text(json, "body", len == 0 ? "" : bytes, len);
    else
        json_base64(json, "body_base64", bytes, len);
}

void json_open_object(struct json_writer *json, const char *key)
{
    json_put_key(json, key);
    buffer_append_char(&json->text, '{');
}

void json_close_object(struct json_writer *json)
{
    buffer_append_char(&json->text, '}');
}

void json_open_array(struct json_writer *json, const char *key)
{
    json_put_key(json, key);
    buffer_append_char(&json->text, '[');
}

void json_open_element(struct json_writer *json)
{
    if (json->text.len > 0 && json->text.base[json->text.len - 1] != '[')
        buffer_append_char(&json->text, ',');
    buffer_append_char(&json->text, '{');
}

void json_close_array(struct json_writer *json)
{
    buffer_append_char(&json->text, ']');
}

void json_time(struct json_writer *json, const char *key, int64_t wall_us)
{
    char text[RFC3339_SIZE];

    rfc3339_write(text, wall_us);
    json_string(json, key, text);
}

bool json_end(struct json_writer *json)
{
    buffer_append(&json->text, "}\n", 2);
    return json->text.failure == BUFFER_NO_FAILURE;
}

void json_free(struct json_writer *json)
{
    buffer_free(&json->text);
}
