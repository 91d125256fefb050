/* SPDX-License-Identifier: MIT
 *
 * record.h - reads the records of a sink, deliveries and events, and other untrusted JSON objects.
 * Pure, except for record_write().
 *
 * Ownership  The object owns returned texts and items.
 * Threads    Any, while the object does not change.
 * Errors     A member of another type counts as absent; NULL and non-objects have no members.
 */
#ifndef CLI_RECORD_H
#define CLI_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cjson/cJSON.h>

/* Returns the member, of any type; NULL if absent. */
cJSON *json_get(const cJSON *object, const char *name);

/* Returns the string member; NULL if absent. */
const char *json_get_text(const cJSON *object, const char *name);

/* Returns true if the member is the string `text`. */
bool json_get_is(const cJSON *object, const char *name, const char *text);

/* Returns true if the member is `true`. */
bool json_get_bool(const cJSON *object, const char *name);

/* Returns the integer member; `otherwise` if absent, not an integer, or not below 2^53, where
 * cJSON's double loses digits. */
int64_t json_get_int64(const cJSON *object, const char *name, int64_t otherwise);

/* Returns the integer member if it is 0 or more, else -1. */
int64_t json_get_count(const cJSON *object, const char *name);

/* Reads a time by rfc3339_read() into *us, in microseconds since 1970. Returns false, *us
 * unchanged, if absent. */
bool json_get_time(const cJSON *object, const char *name, int64_t *us);

/* Copies the string item `text` by text_copy_redacted(); "" for other types. */
void json_copy_text(char *out, size_t size, const cJSON *text, const char *hidden);

/* ---- records */

/* Returns the delivery number, 1 or more; 0 if absent. */
int64_t record_seq(const cJSON *record);

/* Parses a delivery number from the command line. Returns false unless it is 1 or more. */
bool record_read_seq(const char *text, int64_t *seq);

/* Prints the object by text_write_json(), on one line; nothing on ENOMEM. */
void record_write(FILE *out, const cJSON *record);

#endif
