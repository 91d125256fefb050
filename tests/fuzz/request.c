/* SPDX-License-Identifier: MIT
 *
 * Fuzzes request_head_scan() and request_head_read(): a head is read alike in one piece or in many,
 * its texts lie inside of it, and picohttpparser, which libh2o exports, reads the same.
 */
#include <string.h>
#include <strings.h>
#include <sys/types.h>

#include "daemon/http/request_reader.h"
#include "tests/fuzz/fuzz.h"

enum {
    HEAD_MAX = 2 << 10
};

/* Declarations of picohttpparser.h, which libh2o exports without its header. */
struct phr_header {
    const char *name; /* NULL: a continued line */
    size_t name_len;
    const char *value;
    size_t value_len;
};
int phr_parse_request(const char *bytes, size_t len, const char **method, size_t *method_len,
                      const char **path, size_t *path_len, int *minor, struct phr_header *headers,
                      size_t *count, size_t last_len);

struct reading {
    enum request_fault fault;
    size_t head_len; /* 0: unfinished */
    struct request_scan scan;
    struct request_head head;
};

/* Each read sees an exact copy, which exposes reads beyond the end. */
static void read_bytes(struct reading *r, const uint8_t *data, size_t len)
{
    char *exact = malloc(len == 0 ? 1 : len);

    if (exact == NULL)
        abort();
    memcpy(exact, data, len);
    r->fault = request_head_scan(&r->scan, exact, len, HEAD_MAX, &r->head_len);
    if (r->fault == REQUEST_NO_FAULT && r->head_len > 0)
        r->fault = request_head_read(&r->head, exact, &r->scan);
    free(exact);
}

/* The input's bytes choose the cuts. */
static void read_pieces(struct reading *r, const uint8_t *data, size_t size)
{
    uint32_t choice = (uint32_t)size;

    for (size_t i = 0; i < size; i++)
        choice = choice * 31 + data[i];
    for (size_t len = 0; len < size && r->fault == REQUEST_NO_FAULT && r->head_len == 0;) {
        choice = choice * 1664525 + 1013904223;
        len += choice >> 31 ? 1 : 1 + (choice >> 25);
        read_bytes(r, data, len < size ? len : size);
    }
}

/* ---- what was read */

static bool is_same(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return a_len == b_len && memcmp(a, b, a_len) == 0;
}

static bool is_alike(const struct request_head *a, const struct request_head *b)
{
    return a->minor == b->minor && a->is_persistent == b->is_persistent &&
           a->expects_continue == b->expects_continue && a->is_chunked == b->is_chunked &&
           a->content_length == b->content_length && a->count == b->count &&
           memcmp(&a->method, &b->method, sizeof(a->method)) == 0 &&
           memcmp(&a->target, &b->target, sizeof(a->target)) == 0 &&
           memcmp(&a->host, &b->host, sizeof(a->host)) == 0 &&
           memcmp(a->fields, b->fields, a->count * sizeof(a->fields[0])) == 0;
}

/* No text holds a control other than a tab in a value, or a character of `others`. */
static void check_text(const struct reading *r, const char *bytes, struct request_text text,
                       const char *others)
{
    fuzz_check(text.len == 0 || text.at >= r->scan.begin);
    fuzz_check((size_t)text.at + text.len <= r->head_len);
    for (size_t i = text.at; i < (size_t)text.at + text.len; i++) {
        fuzz_check((unsigned char)bytes[i] >= ' ' || bytes[i] == '\t');
        fuzz_check(bytes[i] != 0x7f && strchr(others, bytes[i]) == NULL);
    }
}

static void check_head(const struct reading *r, const char *bytes)
{
    const struct request_head *head = &r->head;

    fuzz_check(head->minor <= 1 && head->count <= REQUEST_FIELDS_MAX && head->method.len > 0);
    fuzz_check(head->minor == 1 ||
               !(head->is_persistent || head->is_chunked || head->expects_continue));
    fuzz_check(!head->is_chunked || head->content_length == 0);
    check_text(r, bytes, head->method, "\t :/");
    check_text(r, bytes, head->target, "\t #");
    check_text(r, bytes, head->host, "\t /?#@\\\"<>");
    for (size_t i = 0; i < head->count; i++) {
        struct request_text value = head->fields[i].value;

        fuzz_check(head->fields[i].name.len > 0);
        check_text(r, bytes, head->fields[i].name, "\t :/");
        check_text(r, bytes, value, "");
        fuzz_check(value.len == 0 || strchr(" \t", bytes[value.at]) == NULL);
        fuzz_check(value.len == 0 || strchr(" \t", bytes[value.at + value.len - 1]) == NULL);
    }
}

/* ---- what picohttpparser reads */

static bool is_named(const struct phr_header *header, const char *name)
{
    return header->name_len == strlen(name) && strncasecmp(header->name, name, strlen(name)) == 0;
}

/* Checks host and framing by a field of the other parser. */
static void check_field(const struct request_head *head, const char *bytes,
                        const struct phr_header *field, unsigned *framings)
{
    if (is_named(field, "host")) {
        fuzz_check(head->host.at < head->fields[0].name.at || head->host.len == 0 ||
                   bytes + head->host.at == field->value);
    } else if (is_named(field, "transfer-encoding")) {
        fuzz_check(head->is_chunked && ++*framings == 1);
        fuzz_check(field->value_len == 7 && strncasecmp(field->value, "chunked", 7) == 0);
    } else if (is_named(field, "content-length")) {
        unsigned long long length = strtoull(field->value, NULL, 10);

        fuzz_check(!head->is_chunked && ++*framings == 1);
        fuzz_check(strspn(field->value, "0123456789") == field->value_len && field->value_len > 0);
        fuzz_check(head->content_length == (length < UINT64_MAX / 10 * 10 ? length : UINT64_MAX));
    }
}

static void compare(const struct reading *r, const char *bytes, size_t size)
{
    struct phr_header headers[REQUEST_FIELDS_MAX];
    const struct request_head *head = &r->head;
    const char *method, *path;
    size_t method_len, path_len, count = REQUEST_FIELDS_MAX;
    unsigned framings = 0;
    int minor;

    fuzz_check(phr_parse_request(bytes, size, &method, &method_len, &path, &path_len, &minor,
                                 headers, &count, 0) == (int)r->head_len);
    fuzz_check(is_same(bytes + head->method.at, head->method.len, method, method_len));
    fuzz_check(head->target.len <= path_len);
    path += path_len - head->target.len; /* without the host of an absolute URL */
    fuzz_check(is_same(bytes + head->target.at, head->target.len, path, head->target.len));
    fuzz_check(minor == (int)head->minor && count == head->count);
    for (size_t i = 0; i < count; i++) {
        const struct request_field *field = &head->fields[i];
        struct phr_header *other = &headers[i];

        fuzz_check(other->name != NULL);
        while (other->value_len > 0 && strchr(" \t", other->value[other->value_len - 1]) != NULL)
            other->value_len--;
        fuzz_check(is_same(bytes + field->name.at, field->name.len, other->name, other->name_len));
        fuzz_check(
            is_same(bytes + field->value.at, field->value.len, other->value, other->value_len));
        check_field(head, bytes, other, &framings);
    }
    fuzz_check(framings == 1 || (!head->is_chunked && head->content_length == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct reading whole, pieces;

    whole.scan = pieces.scan = (struct request_scan){0};
    whole.head_len = pieces.head_len = 0;
    whole.fault = pieces.fault = REQUEST_NO_FAULT;
    read_bytes(&whole, data, size);
    read_pieces(&pieces, data, size);
    fuzz_check(whole.fault == pieces.fault && whole.head_len == pieces.head_len);
    if (whole.fault != REQUEST_NO_FAULT)
        return 0;
    fuzz_check(whole.head_len <= size && whole.head_len <= whole.scan.begin + HEAD_MAX);
    if (whole.head_len == 0)
        return 0;
    fuzz_check(is_alike(&whole.head, &pieces.head));
    check_head(&whole, (const char *)data);
    compare(&whole, (const char *)data, size);
    return 0;
}
