/* SPDX-License-Identifier: MIT
 *
 * response.h - what the sender is told. No HTTP library, and never a secret or a MAC.
 */
#ifndef DAEMON_HTTP_RESPONSE_H
#define DAEMON_HTTP_RESPONSE_H

#include <hookline.h>
#include <stdbool.h>
#include <stddef.h>

struct json_writer;

/* What is refused before, or besides, the signature. */
enum response_problem {
    RESPONSE_NOT_FOUND,
    RESPONSE_METHOD_NOT_ALLOWED,
    RESPONSE_ADDRESS_NOT_ALLOWED,
    RESPONSE_BODY_TOO_LARGE,
    RESPONSE_HEAD_TOO_LARGE,
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
    const char *phrase;  /* of the status line */
    const char *code;    /* stable: the name of an enum hookline_code or of a problem */
    const char *message; /* for people */
    int retry_after_s;   /* 0 for none */
};

struct response response_of_code(int code); /* an enum hookline_code */
struct response response_of_problem(enum response_problem problem);
struct response response_retry_later(enum response_problem problem,
                                     unsigned seconds); /* with Retry-After */
enum response_problem response_problem_of_status(int status);

/* Writes the JSON of a refusal, or of what was accepted. `receipt` is that of the line; NULL if
 * there is none. */
void response_write_refusal(struct json_writer *line, const struct response *response,
                            const char *receipt);
void response_write_accepted(struct json_writer *line, bool duplicate, const char *source,
                             hookline_bytes id, const char *type, const char *receipt);

/* The bytes of a refusal past every HTTP library, which ends its connection. Returns their length,
 * or 0 if they do not fit. */
size_t response_write_raw(char *text, size_t size, const struct response *response);

/* ---- an answer as an HTTP response. Part of the HTTP seam, as are arrival,
 * connection, listener, protocol_error and receiver; only their .c files know libh2o. */

struct st_h2o_ostream_t;
struct st_h2o_req_t;

/* Sets status and headers. */
void response_prepare(struct st_h2o_req_t *req, const struct response *response);

/* Sends the status and headers of `answer` with the JSON that `line` holds. */
void response_send(struct st_h2o_req_t *req, const struct response *response,
                   const struct json_writer *line);

/* Sends what the application behind has answered; `content_type` may be NULL. */
void response_send_upstream(struct st_h2o_req_t *req, int status, const char *content_type,
                            const char *body, size_t len);

/* Sends the JSON that `line` holds instead of what libh2o sends by itself into `slot`. Returns the
 * slot for what comes next. */
struct st_h2o_ostream_t **response_replace_body(struct st_h2o_req_t *req,
                                                struct st_h2o_ostream_t **slot,
                                                const struct json_writer *line);

/* Whether the response that is being set up was made by one of these functions. */
bool response_is_ours(const struct st_h2o_req_t *req);

#endif
