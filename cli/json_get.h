/* SPDX-License-Identifier: MIT
 *
 * json_get.h - reads the members of a JSON object that somebody else wrote. Pure.
 *
 * Ownership  A text or an item that is returned is the object's.
 * Threads    Any, as long as nobody changes the object.
 * Errors     A member that is absent or of another kind is not there; NULL, and what is no object,
 *            have no members.
 */
#ifndef CLI_JSON_GET_H
#define CLI_JSON_GET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

/* The member of any kind; NULL if it is not there. */
cJSON *json_get(const cJSON *object, const char *name);

/* NULL if it is not there. */
const char *json_get_text(const cJSON *object, const char *name);

/* Whether the member is this text. */
bool json_get_is(const cJSON *object, const char *name, const char *text);

/* Whether the member is `true`. */
bool json_get_bool(const cJSON *object, const char *name);

/* A whole number; `otherwise` if it is not there, or so large that cJSON's double lost digits. */
int64_t json_get_int64(const cJSON *object, const char *name, int64_t otherwise);

/* The same from 0 on; -1 if it is not there. */
int64_t json_get_count(const cJSON *object, const char *name);

/* A text that rfc3339_read() reads; *us is left as it is if that is not there. */
bool json_get_time(const cJSON *object, const char *name, int64_t *us);

/* Copies `text`, an item, by text_copy_redacted(); "" for what is no text. */
void json_copy_text(char *out, size_t size, const cJSON *text, const char *hidden);

#endif
