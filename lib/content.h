/* SPDX-License-Identifier: MIT
 *
 * content.h - the bytes that are signed, in order, without copying any of them.
 */
#ifndef CONTENT_H
#define CONTENT_H

#include "scheme.h"

enum {
    CONTENT_ID_MAX = 256, /* bytes */
};

/* Sets part[0] to part[scheme->parts - 1]. `timestamp` and `id` are taken as they were sent.
 * Returns 0 or an enum hookline_code. */
int content_gather(const struct scheme *scheme, const hookline_request *req,
                   hookline_bytes timestamp, hookline_bytes id, hookline_bytes part[]);

/* 0 if req has exactly one header of this name and it is not empty. */
int content_header(const hookline_request *req, const char *name, hookline_bytes *value);

/* Whether an id is one that can be logged, stored and compared without surprise. */
bool content_id_is_sound(hookline_bytes id);

/* The sound id that a member of the body is; false, and *id as it was, if it is none. */
bool content_id_in_body(hookline_bytes body, const char *path, hookline_bytes *id);

#endif
