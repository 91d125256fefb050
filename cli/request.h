/* SPDX-License-Identifier: MIT
 *
 * request.h - a request that was received, from where it was kept: headers and body in files, the
 * whole in one file, or a delivery in hooklined's store.
 *
 * Ownership  request_open() makes it, request_close() releases it.
 */
#ifndef CLI_REQUEST_H
#define CLI_REQUEST_H

#include <hookline.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/command.h"
#include "cli/raw_request.h"
#include "daemon/base/buffer.h"

/* ---- the bytes of a file, or of the standard input.
 *
 * Ownership  file_contents_read() makes them; buffer_free() releases them. */

enum {
    FILE_CONTENTS_MAX = 64 << 20, /* bytes */
    FILE_CONTENTS_WHY_SIZE = 256
};

/* Puts a NUL behind the bytes. `file` is a path, which may be that of a pipe, or "-" for the standard input, which can be read
 * once. False, and in `why` "FILE: what is wrong". One thread. */
bool file_contents_read(struct buffer *contents, const char *file,
                        char why[FILE_CONTENTS_WHY_SIZE]);

/* The file's name for messages. */
const char *file_contents_name(const char *file);

struct request_options {
    const char *headers_file;    /* a header a line */
    struct option_texts headers; /* one each */
    const char *body;            /* a file */
    const char *whole;           /* a file: request line, headers and body */
    int64_t stored;              /* a delivery's number; 0: none */
    const char *store;           /* the file that it is in ... */
    const char *config;          /* ... or the hooklined.yaml that says which; may be NULL */
};

/* Rows for the struct request_options `member` of the command's `type`; not for `config`. */
#define REQUEST_OPTIONS(type, member)                                                              \
    TEXTS('H', "header", type, member.headers, "'NAME: VALUE'",                                    \
          "a header of the request; as often as needed"),                                          \
        TEXT(0, "headers", type, member.headers_file, "FILE", "its headers, one on each line"),    \
        TEXT(0, "body", type, member.body, "FILE",                                                 \
             "its body, byte for byte; - is the standard input"),                                  \
        TEXT(0, "request", type, member.whole, "FILE",                                             \
             "or all of it, as it came over HTTP/1; - likewise"),                                  \
        NUMBER(0, "stored", type, member.stored, "SEQ", 1, INT64_MAX,                              \
               "or a delivery that hooklined has stored ..."),                                     \
        TEXT(0, "store", type, member.store, "FILE",                                               \
             "... in this file; default: what --config says")

enum {
    REQUEST_WHY_SIZE = 768
};

struct request {
    struct header_lines headers;
    hookline_bytes body;
    char *method;         /* NULL: not known */
    char *source;         /* of a stored delivery; else NULL */
    int64_t received_at;  /* likewise, s since 1970; else 0 */
    size_t ignored;       /* bytes that the file has behind the request */
    struct buffer memory; /* what the body points into */
};

/* NULL, and in `why` what is wrong and what to do: the outcome is OUTCOME_USAGE. */
struct request *request_open(const struct request_options *options, char why[REQUEST_WHY_SIZE]);
void request_close(struct request **request);

#endif
