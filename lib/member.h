/* SPDX-License-Identifier: MIT
 *
 * member.h - finds one member of a JSON object without reading the rest of the document.
 *
 * hookline_verify() reads a signed id or time from the body: it must not allocate, and must not take
 * longer for a longer rest. Neither numbers nor nesting have a limit, and bytes that are not UTF-8
 * do no harm. A byte order mark in front is skipped.
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
 * the same name the first one counts. */
struct member hookline_member_find(hookline_bytes json, const char *path);

/* Returns true if the document begins with an opening brace. */
bool hookline_member_is_begun(hookline_bytes json);

/* Returns NULL if the whole document is one JSON object, else the problem as static text. */
const char *hookline_member_problem(hookline_bytes json);

/* Writes the value of a string as UTF-8, NUL-terminated, into `out` of MEMBER_DECODED_SIZE() bytes.
 * U+FFFD stands for NUL, for a lone surrogate and for each byte that is not UTF-8, so that the text
 * is never cut and never equals another one by that. Returns the length. */
#define MEMBER_DECODED_SIZE(string) (3 * (string).text.len + 1)
size_t hookline_member_decode(struct member string, char *out);

#endif
