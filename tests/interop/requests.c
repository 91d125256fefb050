/* SPDX-License-Identifier: MIT
 *
 * Shows how request_reader.h reads requests; requests.mjs shows the same of Node.
 *
 * Standard input is a series of connections, each its length in four bytes and then the bytes of
 * the client. Standard output has a line for each: its requests, each a list of method, target,
 * version, body, and names and values of the fields, in hex; then "refused", "closed" or "open".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/http/request_reader.h"

enum {
    HEAD_MAX = 16 << 10,
    BODY_MAX = 1 << 20
};

static void show(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        printf("%02x", (unsigned char)bytes[i]);
    putchar(',');
}

static void show_request(const char *bytes, const struct request_head *head, const char *body,
                         size_t body_len)
{
    show(bytes + head->method.at, head->method.len);
    show(bytes + head->target.at, head->target.len);
    show(head->minor == 0 ? "1.0" : "1.1", 3);
    show(body, body_len);
    for (size_t i = 0; i < head->count; i++) {
        show(bytes + head->fields[i].name.at, head->fields[i].name.len);
        show(bytes + head->fields[i].value.at, head->fields[i].value.len);
    }
    putchar(' ');
}

/* Sets *body_len, and *taken to the bytes that the body has with its framing; returns false if it
 * has not ended. */
static bool read_body(const struct request_head *head, char *bytes, size_t len, size_t *body_len,
                      size_t *taken, enum request_fault *fault)
{
    struct chunk_reader chunks = {.left = 0};

    if (head->is_chunked) {
        *fault = chunk_reader_decode(&chunks, bytes, len, body_len, taken);
        return chunks.state == CHUNK_DONE;
    }
    *body_len = *taken = (size_t)head->content_length;
    return head->content_length <= len;
}

static const char *read_connection(char *bytes, size_t len)
{
    for (;;) {
        struct request_scan scan = {0};
        struct request_head head;
        size_t head_len, body_len, taken;
        enum request_fault fault = request_head_scan(&scan, bytes, len, HEAD_MAX, &head_len);

        if (fault == REQUEST_NO_FAULT && head_len == 0)
            return "open";
        if (fault == REQUEST_NO_FAULT)
            fault = request_head_read(&head, bytes, &scan);
        if (fault != REQUEST_NO_FAULT || head.content_length > BODY_MAX)
            return "refused";
        if (!read_body(&head, bytes + head_len, len - head_len, &body_len, &taken, &fault))
            return fault == REQUEST_NO_FAULT ? "open" : "refused";
        show_request(bytes, &head, bytes + head_len, body_len);
        if (!head.is_persistent)
            return "closed";
        bytes += head_len + taken;
        len -= head_len + taken;
    }
}

int main(void)
{
    unsigned char size[4];

    while (fread(size, 1, sizeof(size), stdin) == sizeof(size)) {
        size_t len = (size_t)size[0] << 24 | (size_t)size[1] << 16 | (size_t)size[2] << 8 | size[3];
        char *bytes = malloc(len == 0 ? 1 : len);

        if (bytes == NULL || fread(bytes, 1, len, stdin) != len)
            return EXIT_FAILURE;
        puts(read_connection(bytes, len));
        free(bytes);
    }
    return EXIT_SUCCESS;
}
