/* SPDX-License-Identifier: MIT
 *
 * form.h - checks a JSON request body against a table of its members. Each provider words the
 * problems itself. Pure.
 */
#ifndef CLI_EMULATOR_FORM_H
#define CLI_EMULATOR_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

/* ---- public URLs
 *
 * Threads    Any. Blocks in getaddrinfo() for a name. */

enum public_url {
    PUBLIC_URL_GOOD,
    PUBLIC_URL_NOT_HTTPS,
    PUBLIC_URL_PRIVATE_IP, /* an address is private, loopback or link-local */
    PUBLIC_URL_UNRESOLVABLE,
};

/* Checks the scheme, resolves the host, then checks its addresses. */
enum public_url public_url_check(const char *url);

bool public_url_is_https(const char *url);

enum form_kind {
    FORM_TEXT,
    FORM_URL, /* absolute, http or https */
    FORM_BOOL,
    FORM_TEXTS, /* array of strings */
    FORM_OBJECT,
};

/* A member of an object. A NULL name ends the table. */
struct form_field {
    const char *name;
    enum form_kind kind;
    bool required, nullable;
    size_t least;                    /* characters of a string, items of an array */
    const char *const *allowed;      /* values of a string or its items, or NULL for any */
    const struct form_field *fields; /* of an object; other members are ignored */
};

enum form_issue {
    FORM_MISSING,
    FORM_WRONG_TYPE,
    FORM_TOO_SHORT,
    FORM_NO_URL,
    FORM_NOT_ALLOWED,
    FORM_UNKNOWN, /* a member that is not in the table */
};

enum {
    FORM_PROBLEMS_MAX = 8,
    FORM_NAME_SIZE = 96,
    FORM_EXPECTED_SIZE = 64,
};

struct form_problem {
    char name[FORM_NAME_SIZE]; /* "url", "event_types[1]", "filters.ruleIds"; "" for the body */
    enum form_issue issue;
    char expected[FORM_EXPECTED_SIZE]; /* "string", "at least 16 characters"; "" for FORM_UNKNOWN */
    const struct form_field *field;    /* NULL for FORM_UNKNOWN and for the body */
    const cJSON *received;             /* part of the body; NULL if missing */
};

/* The first FORM_PROBLEMS_MAX problems. */
struct form_problems {
    struct form_problem items[FORM_PROBLEMS_MAX];
    size_t count;
};

/* Parses UTF-8 JSON; the caller deletes it. Returns NULL for invalid JSON, a NUL byte, \u0000,
 * or bytes after the value. `text` ends with a NUL that `len` excludes. */
cJSON *form_parse(const char *text, size_t len);

/* Checks that the value is an object as in the table. `closed` rejects other members. */
bool form_check(const struct form_field *fields, const cJSON *value, bool closed,
                struct form_problems *problems);

#endif
