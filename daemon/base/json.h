/* SPDX-License-Identifier: MIT
 *
 * json.h - writes JSON objects, one a line, into a reusable buffer.
 *
 * Not cJSON, which allocates for each value: the log line of a delivery is on the fast path.
 *
 * Ownership  The writer owns its buffer; a zeroed struct is an empty writer.
 * Threads    One owner.
 * Errors     Sticky: json_end() returns false if any write since json_begin() ran out of memory.
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

/* Empties the buffer and opens the outermost object. */
void json_begin(struct json_writer *json);

/* Replaces invalid UTF-8 with U+FFFD; writes null for NULL. */
void json_text(struct json_writer *json, const char *key, const char *text, size_t len);
void json_string(struct json_writer *json, const char *key, const char *text);
void json_number(struct json_writer *json, const char *key, int64_t number);
void json_number_or_null(struct json_writer *json, const char *key, int64_t number); /* -1: null */
void json_bool(struct json_writer *json, const char *key, bool value);
void json_base64(struct json_writer *json, const char *key, const char *bytes, size_t len);

/* Writes the member "body", or "body_base64" if the bytes are not UTF-8. */
void json_body(struct json_writer *json, const char *bytes, size_t len);

void json_open_object(struct json_writer *json, const char *key);
void json_close_object(struct json_writer *json);

void json_open_array(struct json_writer *json, const char *key);
void json_open_element(struct json_writer *json); /* an object; json_close_object() closes it */
void json_close_array(struct json_writer *json);

/* Writes microseconds since 1970 as "2026-11-22T10:11:12.345Z". */
void json_time(struct json_writer *json, const char *key, int64_t wall_us);

/* Closes the outermost object and ends the line. Returns false on ENOMEM. */
bool json_end(struct json_writer *json);

void json_free(struct json_writer *json);

#endif
