/* SPDX-License-Identifier: MIT
 *
 * content.h - the signed bytes, in order, without a copy.
 *
 * Ownership  Parts point into the request and the scheme.
 * Threads    Any thread.
 * Errors     0 or an enum hookline_code.
 */
#ifndef CONTENT_H
#define CONTENT_H

#include "member.h"
#include "scheme.h"

enum {
    CONTENT_ID_MAX = 256, /* bytes */
};

/* Sets part[0] to part[scheme->parts - 1]. `timestamp` and `id` are the texts as sent. */
int hookline_content_gather(const struct scheme *scheme, const hookline_request *req,
                            hookline_bytes timestamp, hookline_bytes id, hookline_bytes part[]);

/* Sets *value to the only header of this name. HOOKLINE_MISSING_HEADER, _AMBIGUOUS_HEADER. */
int hookline_content_header(const hookline_request *req, const char *name, hookline_bytes *value);

/* Returns true for 1 to CONTENT_ID_MAX bytes of printable ASCII without blanks. */
bool hookline_content_id_is_sound(hookline_bytes id);

/* Sets *id to the text of a string without escapes or of a number. Returns false, and leaves *id
 * alone, if that is no valid id. */
bool hookline_content_id_of(struct member m, hookline_bytes *id);

/* Reads the time in a string or number. */
bool hookline_content_time_of(struct member m, enum time_unit unit, int64_t *seconds);

#endif
