/* SPDX-License-Identifier: MIT
 *
 * json.h - writes one JSON object into a buffer that is kept from line to line.
 *
 * cJSON allocates for each value; a line per delivery is on the fast path.
 *
 * Ownership  The buffer is the line's; a zeroed struct is an empty one.
 * Threads    One owner.
 * Errors     Writing never fails at once: json_end() says whether all of it had memory.
 */
#ifndef DAEMON_BASE_JSON_H
#define DAEMON_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/buffer.h"

struct json_writer {
    struct buffer text;
};

void json_begin(struct json_writer *l);

/* Bytes that are no UTF-8 become U+FFFD; a NULL text becomes null. */
void json_text(struct json_writer *l, const char *key, const char *text, size_t len);
void json_string(struct json_writer *l, const char *key, const char *text);
void json_number(struct json_writer *l, const char *key, int64_t number);
void json_number_or_null(struct json_writer *l, const char *key, int64_t number); /* -1: null */
void json_bool(struct json_writer *l, const char *key, bool value);
void json_base64(struct json_writer *l, const char *key, const char *bytes, size_t len);

/* As the text "body", or as "body_base64" if it is no UTF-8. */
void json_body(struct json_writer *l, const char *bytes, size_t len);

void json_open_object(struct json_writer *l, const char *key); /* an object inside */
void json_close_object(struct json_writer *l);

void json_open_array(struct json_writer *l, const char *key);
void json_open_element(
    struct json_writer *l); /* an object in a list, ended by json_close_object() */
void json_close_array(struct json_writer *l);

/* Microseconds since 1970, as "2026-11-22T10:11:12.345Z". */
void json_time(struct json_writer *l, const char *key, int64_t wall_us);

/* Closes the outermost object and ends the line. False if memory was short. */
bool json_end(struct json_writer *l);

void json_free(struct json_writer *l);

#endif
