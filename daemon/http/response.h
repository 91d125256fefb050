/* SPDX-License-Identifier: MIT
 *
 * response.h - responses to senders. A response never contains a secret or a MAC.
 *
 * Threads    The thread of the request's loop; functions without a request on any.
 */
#ifndef DAEMON_HTTP_RESPONSE_H
#define DAEMON_HTTP_RESPONSE_H

#include <hookline.h>
#include <stdbool.h>
#include <stddef.h>

struct json_writer;

/* Refusals for other reasons than the signature. */
enum response_problem {
    RESPONSE_NOT_FOUND,
    RESPONSE_METHOD_NOT_ALLOWED,
    RESPONSE_ADDRESS_NOT_ALLOWED,
    RESPONSE_BODY_TOO_LARGE,
    RESPONSE_HEAD_TOO_LARGE,
    RESPONSE_BODIES_FULL,
    RESPONSE_TOO_MANY_REFUSALS,
    RESPONSE_RATE_LIMITED,
    RESPONSE_BAD_REQUEST,
    RESPONSE_TLS_REQUIRED,
    RESPONSE_EXPECTATION_FAILED,
    RESPONSE_REQUEST_TIMEOUT,
    RESPONSE_TOO_MANY_CONNECTIONS,
    RESPONSE_TOO_MANY_FROM_ADDRESS,
    RESPONSE_UNAVAILABLE,
    RESPONSE_UPSTREAM_FAILED,
    RESPONSE_UPSTREAM_TIMEOUT,
};

struct response {
    int status;
    const char *phrase;  /* reason phrase of the status line */
    const char *code;    /* stable; hookline_code_name(), or the name of a problem */
    const char *message; /* one sentence */
    int retry_after_s;   /* 0: no Retry-After */
};

/* Return the response for an enum hookline_code, and for a problem. */
struct response response_of_code(int code);
struct response response_of_problem(enum response_problem problem);

/* Returns the response for a problem, with Retry-After. */
struct response response_retry_later(enum response_problem problem, unsigned seconds);

/* Write the JSON body. `receipt` is the one in the log line; NULL: none. */
void response_write_refusal(struct json_writer *line, const struct response *response,
                            const char *receipt);
void response_write_accepted(struct json_writer *line, bool duplicate, const char *source,
                             hookline_bytes id, const char *type, const char *receipt);

/* Writes a complete HTTP/1.1 response with "Connection: close", for a connection without HTTP.
 * Returns its length, or 0 if `size` is too small. */
size_t response_write_raw(char *text, size_t size, const struct response *response);

/* ---- HTTP responses */

struct st_h2o_req_t;

/* Sends `response` with the JSON in `line`, or an empty body if `line` failed. */
void response_send(struct st_h2o_req_t *req, const struct response *response,
                   const struct json_writer *line);

/* Answers OPTIONS with 204 and the methods that `allowed` lists. */
void response_send_options(struct st_h2o_req_t *req, const char *allowed);

/* Answers a health check: 200 or 503. */
void response_send_health(struct st_h2o_req_t *req, bool good);

/* The application's answer. Headers may be NULL. */
struct response_upstream {
    int status;
    const char *content_type, *content_encoding, *retry_after;
    const char *body;
    size_t len;
};
void response_send_upstream(struct st_h2o_req_t *req, const struct response_upstream *upstream);

#endif
