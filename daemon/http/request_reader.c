/* SPDX-License-Identifier: MIT */
#include "daemon/http/request_reader.h"

#include <string.h>
#include <strings.h>

/* ---- characters
 *
 * One bit for each ASCII character. */

static const uint32_t request_token_chars[4] = {0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff};
/* Characters of a host's name (RFC 3986, section 3.2.2). */
static const uint32_t request_name_chars[4] = {0, 0x2bff7ff2, 0x87fffffe, 0x47fffffe};
static const uint32_t request_digit_chars[4] = {0, 0x03ff0000, 0, 0};

static bool request_is_in(const uint32_t set[4], char c)
{
    unsigned char byte = (unsigned char)c;

    return byte < 128 && (set[byte >> 5] >> (byte & 31) & 1) != 0;
}

static bool request_is_field_char(char c)
{
    unsigned char byte = (unsigned char)c;

    return (byte >= ' ' && byte != 0x7f) || byte == '\t';
}

static size_t request_span(const uint32_t set[4], const char *text, size_t len)
{
    size_t n = 0;

    while (n < len && request_is_in(set, text[n]))
        n++;
    return n;
}

/* ---- end of the head */

/* Finds junk on the request line, such as TLS sent to a plain port, before a deadline does. A CR may
 * be the first half of the line's end. */
static bool request_line_is_junk(const char *bytes, size_t from, size_t end)
{
    for (size_t i = from; i < end; i++)
        if ((unsigned char)bytes[i] < ' ' && !(bytes[i] == '\r' && i + 1 == end))
            return true;
    return false;
}

/* Returns how many bytes may belong to the head. */
static size_t request_scan_end(const struct request_scan *scan, size_t len, size_t max)
{
    return len - scan->begin > max ? scan->begin + max : len;
}

enum request_fault request_head_scan(struct request_scan *scan, const char *bytes, size_t len,
                                     size_t max, size_t *head_len)
{
    const char *found;
    size_t end;

    *head_len = 0;
    while ((found = memchr(bytes + scan->at, '\n', request_scan_end(scan, len, max) - scan->at)) !=
           NULL) {
        size_t line = scan->line;

        end = (size_t)(found - bytes);
        if (end == line || bytes[end - 1] != '\r' ||
            (scan->lines == 0 && request_line_is_junk(bytes, scan->at, end)))
            return REQUEST_MALFORMED;
        scan->at = scan->line = end + 1;
        if (end - 1 > line) {
            if (++scan->lines > REQUEST_FIELDS_MAX + 1)
                return REQUEST_HEAD_TOO_LARGE;
        } else if (line > scan->begin) {
            *head_len = end + 1;
            return REQUEST_NO_FAULT;
        } else if (line > 0) {
            return REQUEST_MALFORMED;
        } else {
            scan->begin = end + 1;
        }
    }
    end = request_scan_end(scan, len, max);
    if (scan->lines == 0 && request_line_is_junk(bytes, scan->at, end))
        return REQUEST_MALFORMED;
    /* A CR is looked at again, with the byte after it. */
    scan->at = end > scan->at && bytes[end - 1] == '\r' ? end - 1 : end;
    return end < len ? REQUEST_HEAD_TOO_LARGE : REQUEST_NO_FAULT;
}

/* ---- request line */

static struct request_text request_text_of(const char *bytes, const char *from, size_t len)
{
    return (struct request_text){(uint32_t)(from - bytes), (uint32_t)len};
}

static bool request_text_is(const char *bytes, struct request_text text, const char *word)
{
    return text.len == strlen(word) && memcmp(bytes + text.at, word, text.len) == 0;
}

static bool request_text_is_word(const char *bytes, struct request_text text, const char *word)
{
    return text.len == strlen(word) && strncasecmp(bytes + text.at, word, text.len) == 0;
}

static bool request_read_version(struct request_head *head, const char *text, size_t len)
{
    if (len != 8 || memcmp(text, "HTTP/1.", 7) != 0 || (text[7] != '0' && text[7] != '1'))
        return false;
    head->minor = text[7] == '1';
    return true;
}

/* Returns the length of "http://" or "https://" at the front of a target, else 0. */
static size_t request_target_scheme(const char *target, size_t len)
{
    if (len > 7 && strncasecmp(target, "http://", 7) == 0)
        return 7;
    return len > 8 && strncasecmp(target, "https://", 8) == 0 ? 8 : 0;
}

/* Returns the length of a name or of an address in brackets at the front of a text; 0: none. */
static size_t request_host_span(const char *text, size_t len)
{
    size_t n = 1;

    if (len == 0 || text[0] != '[')
        return request_span(request_name_chars, text, len);
    while (n < len && (request_is_in(request_name_chars, text[n]) || text[n] == ':'))
        n++;
    return n > 1 && n < len && text[n] == ']' ? n + 1 : 0;
}

/* A host and perhaps a port, without user information (RFC 3986, section 3.2). */
static bool request_is_authority(const char *text, size_t len)
{
    size_t host = request_host_span(text, len);

    if (host == 0 || host == len)
        return host > 0;
    len -= host + 1;
    return text[host] == ':' && request_span(request_digit_chars, text + host + 1, len) == len;
}

/* Splits an absolute URL (RFC 9112, section 3.2.2). CONNECT is refused, because after it some
 * parsers expect a tunnel and some the next request. */
static bool request_split_target(struct request_head *head, const char *bytes)
{
    const char *target = bytes + head->target.at;
    size_t len = head->target.len, scheme = request_target_scheme(target, len), path = scheme;

    if (request_text_is(bytes, head->method, "CONNECT"))
        return false;
    if (target[0] == '/')
        return true;
    if (scheme == 0)
        return request_text_is(bytes, head->method, "OPTIONS") &&
               request_text_is(bytes, head->target, "*");
    while (path < len && target[path] != '/' && target[path] != '?')
        path++;
    head->host = request_text_of(bytes, target + scheme, path - scheme);
    head->target = request_text_of(bytes, target + path, len - path);
    return request_is_authority(target + scheme, path - scheme);
}

static bool request_read_line(struct request_head *head, const char *bytes, const char *line,
                              const char *end)
{
    size_t method = request_span(request_token_chars, line, (size_t)(end - line));
    const char *target = line + method + 1, *blank;

    if (method == 0 || target >= end || line[method] != ' ' ||
        (blank = memchr(target, ' ', (size_t)(end - target))) == NULL || blank == target)
        return false;
    for (const char *c = target; c < blank; c++)
        if (*c == '\t' || *c == '#' || !request_is_field_char(*c))
            return false;
    head->method = request_text_of(bytes, line, method);
    head->target = request_text_of(bytes, target, (size_t)(blank - target));
    return request_split_target(head, bytes) &&
           request_read_version(head, blank + 1, (size_t)(end - blank) - 1);
}

bool request_line_read(struct request_head *head, const char *bytes,
                       const struct request_scan *scan)
{
    const char *line = bytes + scan->begin;
    const char *end = memchr(line, '\n', scan->line - scan->begin);

    head->host = (struct request_text){0, 0};
    return end != NULL && request_read_line(head, bytes, line, end - 1);
}

/* ---- fields */

/* Fields that decide about host and framing, each counted. */
struct request_framing {
    unsigned hosts, lengths, codings;
    struct request_text host, length, coding;
    bool has_tab; /* around a length or coding */
    bool closes, other_expectation;
};

static bool request_read_field(struct request_field *field, const char *bytes, const char *line,
                               const char *end)
{
    size_t name = request_span(request_token_chars, line, (size_t)(end - line));
    const char *value = line + name + 1;

    if (name == 0 || value > end || line[name] != ':')
        return false;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    for (const char *c = value; c < end; c++)
        if (!request_is_field_char(*c))
            return false;
    field->name = request_text_of(bytes, line, name);
    field->value = request_text_of(bytes, value, (size_t)(end - value));
    return true;
}

/* Returns the next item of a comma-separated list and removes it from *list; length 0 at the
 * end. */
static struct request_text request_next_item(const char *bytes, struct request_text *list)
{
    static const char blanks[] = ", \t";
    struct request_text item;

    while (list->len > 0 && strchr(blanks, bytes[list->at]) != NULL) {
        list->at++;
        list->len--;
    }
    item = (struct request_text){list->at, 0};
    while (list->len > 0 && bytes[list->at] != ',') {
        list->at++;
        list->len--;
        item.len++;
    }
    while (item.len > 0 && strchr(blanks, bytes[item.at + item.len - 1]) != NULL)
        item.len--;
    return item;
}

static bool request_has_item(const char *bytes, struct request_text list, const char *word)
{
    struct request_text item;

    while ((item = request_next_item(bytes, &list)).len > 0)
        if (request_text_is_word(bytes, item, word))
            return true;
    return false;
}

/* White space may be a tab, but some parsers take one for a part of the value. */
static bool request_field_has_tab(const char *bytes, const struct request_field *field)
{
    const char *c = bytes + field->name.at + field->name.len;

    while (*c != '\t' && *c != '\r')
        c++;
    return *c == '\t';
}

static void request_note_field(struct request_head *head, struct request_framing *framing,
                               const char *bytes, const struct request_field *field)
{
    if (request_text_is_word(bytes, field->name, "host")) {
        framing->hosts++;
        framing->host = field->value;
    } else if (request_text_is_word(bytes, field->name, "content-length")) {
        framing->lengths++;
        framing->length = field->value;
        framing->has_tab = framing->has_tab || request_field_has_tab(bytes, field);
    } else if (request_text_is_word(bytes, field->name, "transfer-encoding")) {
        framing->codings++;
        framing->coding = field->value;
        framing->has_tab = framing->has_tab || request_field_has_tab(bytes, field);
    } else if (request_text_is_word(bytes, field->name, "connection")) {
        framing->closes = framing->closes || request_has_item(bytes, field->value, "close");
    } else if (request_text_is_word(bytes, field->name, "expect")) {
        bool known = request_text_is_word(bytes, field->value, "100-continue");

        head->expects_continue = head->expects_continue || known;
        framing->other_expectation = framing->other_expectation || !known;
    }
}

/* ---- framing */

static bool request_read_length(struct request_head *head, const char *bytes,
                                struct request_text length)
{
    for (uint32_t i = 0; i < length.len; i++) {
        char digit = bytes[length.at + i];

        if (digit < '0' || digit > '9')
            return false;
        /* A number that does not fit stays larger than every limit. */
        head->content_length = head->content_length > UINT64_MAX / 10 - 1
                                   ? UINT64_MAX
                                   : head->content_length * 10 + (uint64_t)(digit - '0');
    }
    return length.len > 0;
}

static bool request_read_host(struct request_head *head, const char *bytes,
                              const struct request_framing *framing)
{
    struct request_text host = framing->host;

    if (head->host.len == 0)
        head->host = host;
    return framing->hosts <= 1 && (framing->hosts == 1 || head->minor == 0) &&
           (host.len == 0 || request_is_authority(bytes + host.at, host.len));
}

/* Chunked is the only coding (RFC 9112, sections 6.1 to 6.3), and HTTP/1.0 has none. */
static bool request_read_framing(struct request_head *head, const char *bytes,
                                 const struct request_framing *framing)
{
    head->is_chunked = framing->codings > 0;
    if (framing->lengths + framing->codings > 1 || framing->has_tab)
        return false;
    if (framing->lengths > 0)
        return request_read_length(head, bytes, framing->length);
    return framing->codings == 0 ||
           (head->minor == 1 && request_text_is_word(bytes, framing->coding, "chunked"));
}

enum request_fault request_head_read(struct request_head *head, const char *bytes,
                                     const struct request_scan *scan)
{
    struct request_framing framing = {0};
    const char *line = bytes + scan->begin, *last = bytes + scan->line - 2, *end;

    head->count = 0;
    head->expects_continue = false;
    head->content_length = 0;
    if (!request_line_read(head, bytes, scan))
        return REQUEST_MALFORMED;
    end = memchr(line, '\n', (size_t)(last - line));
    for (line = end + 1; line < last; line = end + 1) {
        struct request_field *field = &head->fields[head->count++];

        end = memchr(line, '\n', (size_t)(last - line));
        if (!request_read_field(field, bytes, line, end - 1))
            return REQUEST_MALFORMED;
        request_note_field(head, &framing, bytes, field);
    }
    if (!request_read_host(head, bytes, &framing) || !request_read_framing(head, bytes, &framing))
        return REQUEST_MALFORMED;
    head->is_persistent = head->minor == 1 && !framing.closes;
    /* A server ignores Expect in HTTP/1.0 (RFC 9110, section 10.1.1). */
    head->expects_continue = head->expects_continue && head->minor == 1;
    return framing.other_expectation && head->minor == 1 ? REQUEST_UNKNOWN_EXPECTATION
                                                         : REQUEST_NO_FAULT;
}

/* ---- chunked body */

static int chunk_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The 15 digits of a size leave room in 64 bits for sums. */
static bool chunk_add_digit(struct chunk_reader *reader, int digit)
{
    reader->left = reader->left << 4 | (uint64_t)digit;
    return ++reader->digits <= 15;
}

static enum chunk_state chunk_after_size(char c)
{
    switch (c) {
    case '\r':
        return CHUNK_SIZE_LF;
    case ';':
        return CHUNK_EXTENSION;
    default:
        return CHUNK_SIZE_BLANK;
    }
}

/* Reads one byte that is no data. */
static bool chunk_step(struct chunk_reader *reader, char c)
{
    int digit;

    switch (reader->state) {
    case CHUNK_SIZE_BEGIN:
        reader->left = reader->digits = 0;
        reader->state = CHUNK_SIZE;
        digit = chunk_digit(c);
        return digit >= 0 && chunk_add_digit(reader, digit);
    case CHUNK_SIZE:
        if ((digit = chunk_digit(c)) >= 0)
            return chunk_add_digit(reader, digit);
        reader->state = chunk_after_size(c);
        return c == '\r' || c == ';' || c == ' ' || c == '\t';
    case CHUNK_SIZE_BLANK:
        if (c == ';')
            reader->state = CHUNK_EXTENSION;
        reader->extra++;
        return c == ';' || c == ' ' || c == '\t';
    case CHUNK_EXTENSION:
        if (c == '\r')
            reader->state = CHUNK_SIZE_LF;
        reader->extra++;
        return c == '\r' || request_is_field_char(c);
    case CHUNK_SIZE_LF:
        reader->state = reader->left > 0 ? CHUNK_DATA : CHUNK_TRAILER_BEGIN;
        return c == '\n';
    case CHUNK_DATA_CR:
        reader->state = CHUNK_DATA_LF;
        return c == '\r';
    case CHUNK_DATA_LF:
        reader->state = CHUNK_SIZE_BEGIN;
        return c == '\n';
    case CHUNK_TRAILER_BEGIN:
        reader->state = c == '\r' ? CHUNK_END_LF : CHUNK_TRAILER_NAME;
        reader->extra++;
        return c == '\r' || request_is_in(request_token_chars, c);
    case CHUNK_TRAILER_NAME:
        if (c == ':')
            reader->state = CHUNK_TRAILER_VALUE;
        reader->extra++;
        return c == ':' || request_is_in(request_token_chars, c);
    case CHUNK_TRAILER_VALUE:
        if (c == '\r')
            reader->state = CHUNK_TRAILER_LF;
        reader->extra++;
        return c == '\r' || request_is_field_char(c);
    case CHUNK_TRAILER_LF:
        reader->state = CHUNK_TRAILER_BEGIN;
        return c == '\n';
    case CHUNK_END_LF:
        if (c == '\n')
            reader->state = CHUNK_DONE;
        return c == '\n';
    case CHUNK_DATA:
    case CHUNK_DONE:
        break;
    }
    return false;
}

enum request_fault chunk_reader_decode(struct chunk_reader *reader, char *bytes, size_t len,
                                       size_t *data_len, size_t *taken)
{
    size_t at = 0, data = 0;

    *data_len = *taken = 0;
    while (at < len && reader->state != CHUNK_DONE) {
        if (reader->state == CHUNK_DATA) {
            size_t part = reader->left < len - at ? (size_t)reader->left : len - at;

            memmove(bytes + data, bytes + at, part);
            data += part;
            at += part;
            reader->left -= part;
            if (reader->left == 0)
                reader->state = CHUNK_DATA_CR;
        } else if (!chunk_step(reader, bytes[at++]) || reader->extra > CHUNK_EXTRA_MAX) {
            return REQUEST_MALFORMED;
        }
    }
    *data_len = data;
    *taken = at;
    return REQUEST_NO_FAULT;
}
