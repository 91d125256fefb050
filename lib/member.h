/* SPDX-License-Identifier: MIT
 *
 * member.h - reads members of a JSON object where they stand, as bytes.
 *
 * The reader takes every document of RFC 8259: any nesting, any number, lone surrogates, a byte
 * order mark. It skips a nested value by counting its brackets, so that hookline_verify() needs no
 * memory; hookline_member_damage() checks the grammar of the whole document.
 *
 * Ownership  Results point into the document; texts of damages are static.
 * Threads    Any thread.
 * Errors     MEMBER_MALFORMED, a damage, or false.
 */
#ifndef MEMBER_H
#define MEMBER_H

#include <stdbool.h>

#include <hookline.h>

enum member_kind {
    MEMBER_MALFORMED, /* not found, and the object is damaged: the rest is unknown */
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
    bool differs; /* another member of the same name has another text */
    hookline_bytes text;
};

/* Finds the member at `path`: a name, or names joined by "." for nested objects. Among members of
 * the same name the last one counts, as in JSON.parse() and most parsers. In a damaged document the
 * last one in front of the damage counts; damage inside a nested value does not end the search. */
struct member hookline_member_find(hookline_bytes json, const char *path);

/* Returns true if the member is a string or a number, and its value is `text`. */
bool hookline_member_equals(struct member m, hookline_bytes text);

/* Writes the value of a string or the text of a number to `out`, of at least m.text.len bytes.
 * Returns the length; 0 for other kinds. A lone surrogate becomes U+FFFD; bytes that are not UTF-8
 * remain. */
size_t hookline_member_decode(struct member m, char *out);

/* Returns true if the document begins as an object. */
bool hookline_member_opens_object(hookline_bytes json);

/* Returns NULL if the whole document is one JSON object, else its first damage. `levels` is memory
 * of MEMBER_LEVELS_SIZE(json.len) bytes: one bit for each open bracket. */
#define MEMBER_LEVELS_SIZE(len) ((len) / 16 + 1)
const char *hookline_member_damage(hookline_bytes json, unsigned char *levels);

#endif
