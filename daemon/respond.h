/* SPDX-License-Identifier: MIT
 *
 * respond.h - an answer as an HTTP response. Part of the HTTP seam, as are arrival,
 * connection, listener, protocol_error and receiver; only their .c files know libh2o.
 */
#ifndef RESPOND_H
#define RESPOND_H

#include <stddef.h>

#include "answer.h"

struct json_line;
struct st_h2o_req_t;

/* Sets status and headers for a body of `len` bytes. */
void respond_prepare(struct st_h2o_req_t *req, const struct answer *answer, size_t len);

/* Sends the status and headers of `answer` with the JSON that `line` holds. */
void respond(struct st_h2o_req_t *req, const struct answer *answer, const struct json_line *line);

#endif
