/* SPDX-License-Identifier: MIT */
#include "daemon/base/text.h"

#include <string.h>

enum {
    TEXT_PIECE_SIZE = 16 /* one character or its escape */
};

int32_t text_decode_char(const char *text, size_t len, size_t *used)
{
    static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)text[0];
    size_t count = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    int32_t c = count == 1 ? first : first & (0x7f >> count);

    *used = 1;
    if (count == 0 || count > len || first >= 0xf8)
        return TEXT_NO_CHAR;
    for (size_t i = 1; i < count; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return TEXT_NO_CHAR;
        c = c << 6 | (text[i] & 0x3f);
    }
    if (c < least[count] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return TEXT_NO_CHAR;
    *used = count;
    return c;
}

bool text_is_utf8(const char *text, size_t len)
{
    for (size_t i = 0, used; i < len; i += used) {
        used = 1;
        if ((unsigned char)text[i] >= 0x80 &&
            text_decode_char(text + i, len - i, &used) == TEXT_NO_CHAR)
            return false;
    }
    return true;
}

/* True for control characters, line and paragraph separators, bidirectional controls, invisible
 * characters and tags. */
static bool text_char_is_unsafe(int32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
           (c >= 0xe0000 && c <= 0xe007f);
}

/* Writes the first character or its escape. Returns the length written; sets *used to the length
 * read. */
static int text_escape_char(char to[TEXT_PIECE_SIZE], const char *text, size_t len, size_t *used)
{
    int32_t c = text_decode_char(text, len, used);

    if (c == TEXT_NO_CHAR || (c < 0x80 && text_char_is_unsafe(c)))
        return snprintf(to, TEXT_PIECE_SIZE, "\\x%02x", (unsigned char)text[0]);
    if (text_char_is_unsafe(c))
        return snprintf(to, TEXT_PIECE_SIZE, "\\u{%x}", (unsigned)c);
    memcpy(to, text, *used);
    return (int)*used;
}

size_t text_copy_printable(char *to, size_t size, const char *text, size_t len)
{
    char piece[TEXT_PIECE_SIZE];
    size_t at = 0, used;

    for (size_t i = 0; text != NULL && i < len; i += used) {
        size_t written = (size_t)text_escape_char(piece, text + i, len - i, &used);

        if (written >= size - at)
            break;
        memcpy(to + at, piece, written);
        at += written;
    }
    to[at] = '\0';
    return at;
}

void text_write_printable(FILE *out, const char *text, size_t len)
{
    char piece[TEXT_PIECE_SIZE];
    size_t used;

    for (size_t i = 0; i < len; i += used)
        fwrite(piece, 1, (size_t)text_escape_char(piece, text + i, len - i, &used), out);
}

void text_write_lines(FILE *out, const char *text, size_t len)
{
    while (len > 0) {
        size_t run = 0;

        while (run < len && text[run] != '\n' && text[run] != '\t')
            run++;
        text_write_printable(out, text, run);
        if (run < len)
            fputc(text[run++], out);
        text += run;
        len -= run;
    }
}

/* Escapes non-ASCII characters, which occur in strings only. Control characters are white space
 * between values, so they become blanks. */
static void text_write_json_char(FILE *out, const char *text, size_t len, size_t *used)
{
    int32_t c = text_decode_char(text, len, used);

    if (c == TEXT_NO_CHAR)
        fputs("\\ufffd", out);
    else if (c >= 0x10000 && text_char_is_unsafe(c))
        fprintf(out, "\\u%04x\\u%04x", (unsigned)(0xd7c0 + (c >> 10)),
                (unsigned)(0xdc00 | (c & 0x3ff)));
    else if (c >= 0x7f && text_char_is_unsafe(c))
        fprintf(out, "\\u%04x", (unsigned)c);
    else if (c >= 0x20)
        fwrite(text, 1, *used, out);
    else
        fputc(' ', out);
}

void text_write_json(FILE *out, const char *json, size_t len)
{
    size_t used;

    while (len > 0 && (json[len - 1] == '\n' || json[len - 1] == '\r'))
        len--;
    for (size_t i = 0; i < len; i += used)
        text_write_json_char(out, json + i, len - i, &used);
    fputc('\n', out);
}

/* ---- redaction */

/* The longest escape is "\u{10ffff}". */
enum {
    TEXT_ESCAPED_MAX = 10
};

static const char text_redacted_mark[] = "(hidden)";

/* Copies the text with `hidden` replaced. Returns more than `max` only if the text is longer. */
static size_t text_redact(char *to, size_t max, const char *bytes, size_t len, const char *hidden)
{
    size_t at = 0, used, secret = hidden == NULL ? 0 : strlen(hidden);

    for (size_t i = 0; i < len && at <= max; i += used) {
        used = 1;
        if (secret > 0 && len - i >= secret && memcmp(bytes + i, hidden, secret) == 0) {
            memcpy(to + at, text_redacted_mark, sizeof(text_redacted_mark) - 1);
            at += sizeof(text_redacted_mark) - 1;
            used = secret;
        } else {
            to[at++] = bytes[i];
            if (bytes[i] != '\0' && strchr("\t\r\n", bytes[i]) != NULL)
                to[at - 1] = ' ';
        }
    }
    return at;
}

/* Escapes may make a text that fits into `out` too long, so check the escaped length. */
void text_copy_redacted(char *out, size_t size, const char *bytes, size_t len, const char *hidden)
{
    char visible[TEXT_REDACTED_MAX + sizeof(text_redacted_mark)],
        whole[TEXT_ESCAPED_MAX * sizeof(visible) + 1];
    size_t shown = text_redact(visible, size, bytes, len, hidden);
    size_t written = text_copy_printable(whole, sizeof(whole), visible, shown);

    if (written < size) {
        memcpy(out, whole, written + 1);
        return;
    }
    written = text_copy_printable(out, size - 3, visible, shown);
    memcpy(out + written, "...", 4);
}
