/* SPDX-License-Identifier: MIT
 *
 * respond.h - an answer as an HTTP response. Part of the HTTP seam, as are arrival,
 * connection, listener, protocol_error and receiver; only their .c files know libh2o.
 */
#ifndef DAEMON_HTTP_RESPOND_H
#define DAEMON_HTTP_RESPOND_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/http/answer.h"

struct json_writer;
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
