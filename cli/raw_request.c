/* SPDX-License-Identifier: MIT */
#include "cli/raw_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool header_lines_is_name(const char *text, size_t len)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!alnum && (c == '\0' || strchr(marks, c) == NULL))
            return false;
    }
    return len > 0;
}

static bool header_lines_is_value(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f)
            return false;
    return true;
}

static hookline_bytes header_lines_trim(const char *text, size_t len)
{
    while (len > 0 && (text[0] == ' ' || text[0] == '\t')) {
        text++;
        len--;
    }
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    return (hookline_bytes){text, len};
}

/* Name and value share one allocation, owned by the name's pointer. */
static bool header_lines_append(struct header_lines *lines, const char *name, size_t name_len,
                                hookline_bytes value)
{
    hookline_header *bigger =
        realloc(lines->entries, (lines->count + 1) * sizeof(lines->entries[0]));
    char *text = malloc(name_len + 1 + value.len + 1);

    if (bigger != NULL)
        lines->entries = bigger;
    if (bigger == NULL || text == NULL) {
        free(text);
        return false;
    }
    memcpy(text, name, name_len);
    text[name_len] = '\0';
    memcpy(text + name_len + 1, value.base, value.len);
    text[name_len + 1 + value.len] = '\0';
    lines->entries[lines->count++] = (hookline_header){text, {text + name_len + 1, value.len}};
    return true;
}

bool header_lines_add(struct header_lines *lines, const char *line, size_t len,
                      char why[HEADER_LINES_WHY_SIZE])
{
    const char *colon = memchr(line, ':', len);
    size_t name_len = colon == NULL ? 0 : (size_t)(colon - line);
    hookline_bytes value;

    if (colon == NULL) {
        snprintf(why, HEADER_LINES_WHY_SIZE, "expected \"Name: value\", found no colon");
        return false;
    }
    if (!header_lines_is_name(line, name_len)) {
        snprintf(why, HEADER_LINES_WHY_SIZE,
                 "expected \"Name: value\", found no valid name before the colon");
        return false;
    }
    value = header_lines_trim(colon + 1, len - name_len - 1);
    if (!header_lines_is_value(value.base, value.len)) {
        snprintf(why, HEADER_LINES_WHY_SIZE, "%.*s: the value contains a control character",
                 name_len > 64 ? 64 : (int)name_len, line);
        return false;
    }
    if (lines->count == HEADER_LINES_MAX) {
        snprintf(why, HEADER_LINES_WHY_SIZE, "more than %d headers", HEADER_LINES_MAX);
        return false;
    }
    if (header_lines_append(lines, line, name_len, value))
        return true;
    snprintf(why, HEADER_LINES_WHY_SIZE, "out of memory");
    return false;
}

hookline_header_list header_lines_list(const struct header_lines *lines)
{
    return (hookline_header_list){lines->entries, lines->count};
}

void header_lines_free(struct header_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free((char *)lines->entries[i].name);
    free(lines->entries);
    *lines = (struct header_lines){NULL, 0};
}

/* ---- request */

/* Unread bytes. */
struct raw_request_cursor {
    char *at, *end;
    unsigned line; /* number of the last line taken */
    char *why;
};

static bool raw_request_fail(const struct raw_request_cursor *c, const char *what)
{
    snprintf(c->why, RAW_REQUEST_WHY_SIZE, "line %u: %s", c->line, what);
    return false;
}

/* Takes the next line, without its ending. Returns false if no line is left or its ending is
 * missing. */
static bool raw_request_take_line(struct raw_request_cursor *c, hookline_bytes *line)
{
    char *end = memchr(c->at, '\n', (size_t)(c->end - c->at));

    if (end == NULL)
        return false;
    *line = (hookline_bytes){c->at, (size_t)(end - c->at)};
    if (line->len > 0 && end[-1] == '\r')
        line->len--;
    c->at = end + 1;
    c->line++;
    return true;
}

/* ---- head */

static bool raw_request_read_request_line(struct raw_request_cursor *c, struct raw_request *request)
{
    hookline_bytes line = {NULL, 0};
    const char *first = NULL, *last = NULL;

    /* Skip empty lines before the request line. */
    while (line.len == 0 && raw_request_take_line(c, &line))
        ;
    for (size_t i = 0; i < line.len; i++) {
        if (line.base[i] == ' ') {
            first = first == NULL ? &line.base[i] : first;
            last = &line.base[i];
        }
    }
    if (first == NULL || first == last || first == line.base || line.base + line.len - last < 6 ||
        strncmp(last + 1, "HTTP/", 5) != 0)
        return raw_request_fail(c, "expected a request line such as \"POST /path HTTP/1.1\"");
    request->method = (hookline_bytes){line.base, (size_t)(first - line.base)};
    request->target = (hookline_bytes){first + 1, (size_t)(last - first - 1)};
    return true;
}

static bool raw_request_read_headers(struct raw_request_cursor *c, struct raw_request *request)
{
    char why[HEADER_LINES_WHY_SIZE];
    hookline_bytes line;

    while (raw_request_take_line(c, &line)) {
        if (line.len == 0)
            return true;
        if (!header_lines_add(&request->headers, line.base, line.len, why))
            return raw_request_fail(c, why);
    }
    if (c->at == c->end)
        return raw_request_fail(
            c, "the request ends within its headers; expected an empty line after them");
    c->line++;
    return raw_request_fail(c, "the request ends in the middle of a header");
}

/* ---- body */

static int raw_request_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 16;
}

/* Reads leading digits. Returns false without a digit, or above UINT32_MAX. */
static bool raw_request_read_number(hookline_bytes text, int base, size_t *used, size_t *number)
{
    *number = *used = 0;
    while (*used < text.len && raw_request_digit(text.base[*used]) < base) {
        *number = *number * (size_t)base + (size_t)raw_request_digit(text.base[(*used)++]);
        if (*number > UINT32_MAX)
            return false;
    }
    return *used > 0;
}

/* Takes the line with a chunk's size; ignores chunk extensions. */
static bool raw_request_take_size(struct raw_request_cursor *c, size_t *size)
{
    hookline_bytes line;
    size_t used;

    return raw_request_take_line(c, &line) && raw_request_read_number(line, 16, &used, size) &&
           (used == line.len || strchr("; \t", line.base[used]) != NULL);
}

static bool raw_request_take_line_end(struct raw_request_cursor *c)
{
    hookline_bytes line;

    return raw_request_take_line(c, &line) && line.len == 0;
}

static bool raw_request_read_chunks(struct raw_request_cursor *c, struct raw_request *request)
{
    static const char wrong[] = "Transfer-Encoding is chunked, but the body is not complete "
                                "chunks; if it was saved decoded, remove that header";
    char *to = c->at;
    hookline_bytes line;
    size_t size;

    request->body.base = to;
    do {
        if (!raw_request_take_size(c, &size) || size > (size_t)(c->end - c->at)) {
            snprintf(c->why, RAW_REQUEST_WHY_SIZE, "%s", wrong);
            return false;
        }
        memmove(to, c->at, size);
        to += size;
        c->at += size;
        if (size > 0 && !raw_request_take_line_end(c)) {
            snprintf(c->why, RAW_REQUEST_WHY_SIZE, "%s", wrong);
            return false;
        }
    } while (size > 0);
    /* Skip trailers. A file that ends after the last chunk is accepted, because the body is
     * complete. */
    while (raw_request_take_line(c, &line) && line.len > 0)
        ;
    request->body.len = (size_t)(to - request->body.base);
    request->ignored = (size_t)(c->end - c->at);
    return true;
}

static bool raw_request_read_length(struct raw_request_cursor *c, struct raw_request *request,
                                    hookline_bytes text)
{
    size_t rest = (size_t)(c->end - c->at), used, len;

    if (!raw_request_read_number(text, 10, &used, &len) || used < text.len) {
        snprintf(c->why, RAW_REQUEST_WHY_SIZE, "Content-Length: expected a number of bytes");
        return false;
    }
    if (rest < len) {
        snprintf(c->why, RAW_REQUEST_WHY_SIZE,
                 "Content-Length is %zu bytes, but %zu follow the headers: saving cut the body or "
                 "converted its line endings",
                 len, rest);
        return false;
    }
    request->body = (hookline_bytes){c->at, len};
    request->ignored = rest - len;
    return true;
}

static bool raw_request_read_body(struct raw_request_cursor *c, struct raw_request *request)
{
    hookline_header_list list = header_lines_list(&request->headers);
    hookline_bytes length, coding;
    size_t lengths = hookline_find_in_list(&list, "Content-Length", &length);
    size_t codings = hookline_find_in_list(&list, "Transfer-Encoding", &coding);

    if (lengths + codings > 1) {
        snprintf(c->why, RAW_REQUEST_WHY_SIZE,
                 "expected at most one Content-Length or Transfer-Encoding header; with more, the "
                 "end of the body is ambiguous");
        return false;
    }
    if (codings == 1 && (coding.len != 7 || strncasecmp(coding.base, "chunked", 7) != 0)) {
        snprintf(c->why, RAW_REQUEST_WHY_SIZE, "Transfer-Encoding: expected chunked");
        return false;
    }
    if (codings == 1)
        return raw_request_read_chunks(c, request);
    if (lengths == 1)
        return raw_request_read_length(c, request, length);
    request->body = (hookline_bytes){c->at, (size_t)(c->end - c->at)};
    return true;
}

bool raw_request_read(struct raw_request *request, char *bytes, size_t len,
                      char why[RAW_REQUEST_WHY_SIZE])
{
    struct raw_request_cursor c = {.at = bytes, .end = bytes + len, .why = why};

    *request = (struct raw_request){.ignored = 0};
    if (raw_request_read_request_line(&c, request) && raw_request_read_headers(&c, request) &&
        raw_request_read_body(&c, request))
        return true;
    raw_request_free(request);
    return false;
}

void raw_request_free(struct raw_request *request)
{
    header_lines_free(&request->headers);
    *request = (struct raw_request){.ignored = 0};
}
