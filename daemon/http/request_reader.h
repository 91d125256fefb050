/* SPDX-License-Identifier: MIT
 *
 * request_reader.h - strict reader of requests: the head, and a chunked body (RFC 9112).
 *
 * It refuses what two parsers could understand in two ways: both framings, two lengths, continued
 * lines, bare CR or LF, white space before a colon, a missing or second Host, a fragment in the
 * target, CONNECT.
 *
 * Ownership  The caller's bytes and structs; no memory of its own.
 * Threads    Any.
 * Errors     enum request_fault.
 */
#ifndef DAEMON_HTTP_REQUEST_READER_H
#define DAEMON_HTTP_REQUEST_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum request_fault {
    REQUEST_NO_FAULT,
    REQUEST_MALFORMED, /* also another version, and another transfer coding than chunked */
    REQUEST_HEAD_TOO_LARGE,
    REQUEST_UNKNOWN_EXPECTATION, /* other than 100-continue */
};

/* ---- head */

enum {
    REQUEST_FIELDS_MAX = 100
};

/* Progress of request_head_scan(); start with a zeroed struct. */
struct request_scan {
    size_t at;    /* bytes looked at */
    size_t line;  /* start of the current line */
    size_t begin; /* start of the request line: 0, or 2 after an empty line */
    size_t lines;
};

/* Looks for the end of a head in the `len` bytes received so far; each call continues where the
 * last one stopped, and all together find the same as a single one. Sets *head_len, including an
 * empty line before the request and the one after the head; 0: the end is not there yet. A head
 * longer than `max` bytes is too large. */
enum request_fault request_head_scan(struct request_scan *scan, const char *bytes, size_t len,
                                     size_t max, size_t *head_len);

/* A part of the head: an offset from its first byte, and a length. */
struct request_text {
    uint32_t at, len;
};

struct request_field {
    struct request_text name, value; /* the value without white space around it */
};

struct request_head {
    struct request_text method;
    struct request_text target; /* of an http URL: from its path on, which may lack the "/" */
    struct request_text host;   /* of an absolute URL, else of Host; length 0: none */
    unsigned minor;             /* 0 or 1: HTTP/1.minor */
    bool is_persistent;
    bool expects_continue;
    bool is_chunked;
    uint64_t content_length; /* 0 without Content-Length */
    struct request_field fields[REQUEST_FIELDS_MAX];
    size_t count;
};

/* Reads the request line alone, for a log line about a head that cannot be read. Returns false if it
 * is not there, or malformed. */
bool request_line_read(struct request_head *head, const char *bytes,
                       const struct request_scan *scan);

/* Reads the head whose end request_head_scan() found. */
enum request_fault request_head_read(struct request_head *head, const char *bytes,
                                     const struct request_scan *scan);

/* ---- chunked body */

enum chunk_state {
    CHUNK_SIZE_BEGIN,
    CHUNK_SIZE,
    CHUNK_SIZE_BLANK, /* white space before an extension */
    CHUNK_EXTENSION,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_TRAILER_BEGIN,
    CHUNK_TRAILER_NAME,
    CHUNK_TRAILER_VALUE,
    CHUNK_TRAILER_LF,
    CHUNK_END_LF,
    CHUNK_DONE, /* never after a fault */
};

enum {
    CHUNK_EXTRA_MAX = 16 << 10 /* bytes of all extensions and trailers */
};

/* Start with a zeroed struct. */
struct chunk_reader {
    enum chunk_state state;
    uint64_t left;   /* bytes of the current chunk still to come */
    unsigned digits; /* of the current size */
    size_t extra;    /* bytes of extensions and trailers so far */
};

/* Decodes the `len` bytes that follow in place: moves the data to the front and sets *data_len.
 * Sets *taken to the bytes read: all of them, unless the body ends before. */
enum request_fault chunk_reader_decode(struct chunk_reader *reader, char *bytes, size_t len,
                                       size_t *data_len, size_t *taken);

#endif
