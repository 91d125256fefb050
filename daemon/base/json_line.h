/* SPDX-License-Identifier: MIT
 *
 * json_line.h - writes one JSON object into a buffer that is kept from line to line.
 *
 * cJSON allocates for each value; a line per delivery is on the fast path.
 *
 * Ownership  The buffer is the line's; a zeroed struct is an empty one.
 * Threads    One owner.
 * Errors     Writing never fails at once: json_line_end() says whether all of it had memory.
 */
#ifndef DAEMON_BASE_JSON_LINE_H
#define DAEMON_BASE_JSON_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_line {
    char *base;
    size_t len, size;
    bool failed;
};

void json_line_begin(struct json_line *l);

/* Bytes that are no UTF-8 become U+FFFD; a NULL text becomes null. */
void json_line_text(struct json_line *l, const char *key, const char *text, size_t len);
void json_line_string(struct json_line *l, const char *key, const char *text);
void json_line_number(struct json_line *l, const char *key, int64_t number);
void json_line_known(struct json_line *l, const char *key, int64_t number); /* -1: null */
void json_line_bool(struct json_line *l, const char *key, bool value);
void json_line_base64(struct json_line *l, const char *key, const char *bytes, size_t len);

/* As the text "body", or as "body_base64" if it is no UTF-8. */
void json_line_body(struct json_line *l, const char *bytes, size_t len);

void json_line_open(struct json_line *l, const char *key); /* an object inside */
void json_line_close(struct json_line *l);

void json_line_open_list(struct json_line *l, const char *key);
void json_line_open_item(struct json_line *l); /* an object in a list, ended by json_line_close() */
void json_line_close_list(struct json_line *l);

/* Microseconds since 1970, as "2026-11-22T10:11:12.345Z". */
void json_line_time(struct json_line *l, const char *key, int64_t wall_us);

/* Closes the outermost object and ends the line. False if memory was short. */
bool json_line_end(struct json_line *l);

void json_line_free(struct json_line *l);

bool json_line_is_utf8(const char *text, size_t len);

#endif
