/* SPDX-License-Identifier: MIT
 *
 * member.h - finds one member of a JSON object without reading the rest of the document.
 *
 * hookline_verify() reads a signed id or time from the body, must not allocate, and must not take
 * longer for a longer rest. hookline_event_read() decodes the value with cJSON; a test compares
 * this reader with cJSON.
 *
 * Ownership  Results point into the document.
 * Threads    Any thread.
 * Errors     MEMBER_MALFORMED, or false.
 */
#ifndef MEMBER_H
#define MEMBER_H

#include <stdbool.h>

#include <hookline.h>

enum member_kind {
    MEMBER_MALFORMED, /* the part read so far is no JSON object */
    MEMBER_ABSENT,
    MEMBER_STRING, /* text excludes the quotes */
    MEMBER_NUMBER,
    MEMBER_NULL,
    MEMBER_OBJECT,
    MEMBER_OTHER,
};

struct member {
    enum member_kind kind;
    bool escaped; /* the string contains a backslash, so its text differs from its value */
    hookline_bytes text;
};

/* Finds the member at `path`: a name, or names joined by "." for nested objects. Among members of
 * the same name the first one counts, as in cJSON. */
struct member hookline_member_find(hookline_bytes json, const char *path);

/* Returns true if the whole document is one JSON object within the limits of cJSON. */
bool hookline_member_is_object(hookline_bytes json);

#endif
