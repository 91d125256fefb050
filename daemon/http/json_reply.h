/* SPDX-License-Identifier: MIT
 *
 * json_reply.h - what the administrator is answered. Part of the HTTP seam.
 */
#ifndef DAEMON_HTTP_JSON_REPLY_H
#define DAEMON_HTTP_JSON_REPLY_H

#include <stddef.h>

struct json_writer;
struct st_h2o_pathconf_t;
struct st_h2o_req_t;

/* Replaces what libh2o itself answers by JSON. Call it before the handlers are made. */
void json_reply_register(struct st_h2o_pathconf_t *path);

/* Sets status and headers. No browser may guess the type, or keep it. */
void json_reply_prepare(struct st_h2o_req_t *req, int status, const char *type);

/* `base` is copied. A HEAD is answered without it. */
void json_reply_bytes(struct st_h2o_req_t *req, int status, const char *type, const char *base,
                      size_t len);

/* What a browser would save as a file and not look into. */
void json_reply_attachment(struct st_h2o_req_t *req, const char *base, size_t len);

void json_reply_send(struct st_h2o_req_t *req, const struct json_writer *line);

/* {"error":{"code":...,"message":...}} */
void json_reply_error(struct st_h2o_req_t *req, int status, const char *code, const char *message);

/* The same with 405 and the header Allow. */
void json_reply_not_allowed(struct st_h2o_req_t *req, const char *allowed);

/* The same with 401 and the header WWW-Authenticate. */
void json_reply_unauthorized(struct st_h2o_req_t *req);

#endif
