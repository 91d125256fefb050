/* SPDX-License-Identifier: MIT
 *
 * json_reply.h - responses of the admin API.
 *
 * Threads    The thread of the request's loop.
 */
#ifndef DAEMON_HTTP_JSON_REPLY_H
#define DAEMON_HTTP_JSON_REPLY_H

#include <stddef.h>

#include "daemon/http/response.h"

struct json_writer;
struct st_h2o_req_t;

/* Sets status and headers: no type sniffing, no caching. */
void json_reply_prepare(struct st_h2o_req_t *req, int status, const char *type);

/* Sends a copy of `base`; answers HEAD without a body. */
void json_reply_bytes(struct st_h2o_req_t *req, int status, const char *type, const char *base,
                      size_t len);

/* Sends 200 with a body that a browser saves as a file instead of rendering. */
void json_reply_attachment(struct st_h2o_req_t *req, const char *base, size_t len);

/* Sends 200 with the JSON in `line`, or 503 no_memory if `line` failed. */
void json_reply_send(struct st_h2o_req_t *req, const struct json_writer *line);

/* Sends {"error":{"code":...,"message":...}}. */
void json_reply_error(struct st_h2o_req_t *req, int status, const char *code, const char *message);

/* Sends a 405 error with the header Allow. */
void json_reply_not_allowed(struct st_h2o_req_t *req, const char *allowed);

/* Answers a request that does not reach the handlers; the `refuse` of struct listener_options. */
void json_reply_refuse(void *data, struct st_h2o_req_t *req, enum response_problem problem);

/* Sends a 401 error with the header WWW-Authenticate. */
void json_reply_unauthorized(struct st_h2o_req_t *req);

#endif
