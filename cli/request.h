/* SPDX-License-Identifier: MIT
 *
 * request.h - loads a received request from files (headers and body apart, or a whole HTTP/1
 * request) or from hooklined's store.
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

/* ---- file contents */

enum {
    FILE_CONTENTS_MAX = 64 << 20, /* bytes */
    FILE_CONTENTS_WHY_SIZE = 256
};

/* Reads a file or pipe, or standard input if `file` is "-", and appends a NUL. Standard input can
 * be read once. The caller frees `contents` by buffer_free(). Returns false, with "FILE: reason" in
 * `why`, on error. Main thread only. */
bool file_contents_read(struct buffer *contents, const char *file,
                        char why[FILE_CONTENTS_WHY_SIZE]);

/* Returns the file name for messages. */
const char *file_contents_name(const char *file);

/* ---- request */

struct request_options {
    const char *headers_file;    /* file with one header a line */
    struct option_texts headers; /* "Name: value" */
    const char *body;            /* file */
    const char *whole;           /* file with request line, headers and body */
    int64_t stored;              /* delivery number; 0: none */
    const char *store;           /* store of that delivery; NULL: the one that `config` names */
    const char *config;          /* path of hooklined.yaml; may be NULL */
};

/* Rows for the struct request_options `member` of the command's `type`, except `config`. */
#define REQUEST_OPTIONS(type, member)                                                              \
    TEXTS('H', "header", type, member.headers, "'NAME: VALUE'",                                    \
          "add a header of the request; repeatable"),                                              \
        TEXT(0, "headers", type, member.headers_file, "FILE",                                      \
             "read the headers from FILE, one a line"),                                            \
        TEXT(0, "body", type, member.body, "FILE",                                                 \
             "read the body from FILE, byte for byte; - is standard\ninput"),                      \
        TEXT(0, "request", type, member.whole, "FILE",                                             \
             "read a whole HTTP/1 request from FILE; - is standard\ninput"),                       \
        NUMBER(0, "stored", type, member.stored, "SEQ", 1, INT64_MAX,                              \
               "read the delivery with this number from the store"),                               \
        TEXT(0, "store", type, member.store, "FILE",                                               \
             "with --stored: use this store; default: the one in the\n--config file")

enum {
    REQUEST_WHY_SIZE = 768
};

struct request {
    struct header_lines headers;
    hookline_bytes body;
    char *method;         /* NULL: unknown */
    char *query;          /* of a whole request's target, without "?"; NULL: none */
    char *source;         /* of a stored delivery, else NULL */
    int64_t received_at;  /* of a stored delivery, seconds since 1970; else 0 */
    size_t ignored;       /* bytes of the file after the request */
    struct buffer memory; /* holds the body */
};

/* Returns NULL, with the reason in `why`, on error; the outcome is OUTCOME_USAGE then. */
struct request *request_open(const struct request_options *options, char why[REQUEST_WHY_SIZE]);
void request_close(struct request **request);

#endif
