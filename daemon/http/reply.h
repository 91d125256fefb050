/* SPDX-License-Identifier: MIT
 *
 * reply.h - what the administrator is answered. Part of the HTTP seam.
 */
#ifndef DAEMON_HTTP_REPLY_H
#define DAEMON_HTTP_REPLY_H

#include <stddef.h>

struct json_line;
struct st_h2o_pathconf_t;
struct st_h2o_req_t;

/* Replaces what libh2o itself answers by JSON. Call it before the handlers are made. */
void reply_register(struct st_h2o_pathconf_t *path);

/* Sets status and headers. No browser may guess the type, or keep it. */
void reply_prepare(struct st_h2o_req_t *req, int status, const char *type);

/* `base` is copied. A HEAD is answered without it. */
void reply_bytes(struct st_h2o_req_t *req, int status, const char *type, const char *base,
                 size_t len);

/* What a browser would save as a file and not look into. */
void reply_attachment(struct st_h2o_req_t *req, const char *base, size_t len);

void reply_json(struct st_h2o_req_t *req, const struct json_line *line);

/* {"error":{"code":...,"message":...}} */
void reply_error(struct st_h2o_req_t *req, int status, const char *code, const char *message);

/* The same with 405 and the header Allow. */
void reply_not_allowed(struct st_h2o_req_t *req, const char *allowed);

/* The same with 401 and the header WWW-Authenticate. */
void reply_unauthorized(struct st_h2o_req_t *req);

#endif
