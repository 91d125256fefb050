/* SPDX-License-Identifier: MIT
 *
 * member.h - finds one member of a JSON object without reading what stands behind it.
 *
 * hookline_verify() must look at a signed id or time inside of the body, and may neither
 * allocate nor take longer for a longer rest. What a value means, hookline_event_read() asks cJSON;
 * a test holds this reader against it.
 */
#ifndef MEMBER_H
#define MEMBER_H

#include <stdbool.h>

#include <hookline.h>

enum member_kind {
    MEMBER_MALFORMED, /* as far as it was read, the document is no JSON object */
    MEMBER_ABSENT,
    MEMBER_STRING, /* text: what stands between the quotes */
    MEMBER_NUMBER,
    MEMBER_NULL,
    MEMBER_OBJECT,
    MEMBER_OTHER,
};

struct member {
    enum member_kind kind;
    bool escaped; /* the string holds a backslash: its text is not its value */
    hookline_bytes text;
};

/* `path` is the name of a member, or names joined by "." for one inside another. Of members
 * of the same name the first one counts, as for cJSON. */
struct member member_find(hookline_bytes json, const char *path);

/* Whether the whole document is one JSON object within cJSON's limits. */
bool member_is_object(hookline_bytes json);

#endif
