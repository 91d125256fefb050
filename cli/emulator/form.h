/* SPDX-License-Identifier: MIT
 *
 * form.h - what the body of a request has to look like, as a table of its members, and each
 * provider's own words are put to what is wrong with it elsewhere. Pure.
 */
#ifndef CLI_EMULATOR_FORM_H
#define CLI_EMULATOR_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

/* ---- whether a URL is one that a provider on the internet would send to.
 *
 * Threads    Any. A name that nobody knows by heart is looked up, which takes as long as it takes. */

enum public_url {
    PUBLIC_URL_GOOD,
    PUBLIC_URL_NOT_HTTPS,
    PUBLIC_URL_PRIVATE_IP, /* one of its addresses is private, loopback or link-local */
    PUBLIC_URL_UNRESOLVABLE,
};

/* In this order: https, then the look-up, then its addresses. */
enum public_url public_url_check(const char *url);

bool public_url_is_https(const char *url);

enum form_kind {
    FORM_TEXT,
    FORM_URL, /* an absolute http or https URL */
    FORM_BOOL,
    FORM_TEXTS, /* an array of texts */
    FORM_OBJECT,
};

/* A member of an object. A row without a name ends the table. */
struct form_field {
    const char *name;
    enum form_kind kind;
    bool required, nullable;
    size_t least;                    /* characters of a text, items of an array */
    const char *const *allowed;      /* the values of a text or of the items, NULL behind the last;
                                        NULL: any */
    const struct form_field *fields; /* of an object; what else it has does not matter */
};

enum form_issue {
    FORM_MISSING,
    FORM_WRONG_TYPE,
    FORM_TOO_SHORT,
    FORM_NO_URL,
    FORM_NOT_ALLOWED,
    FORM_UNKNOWN, /* a member that the table does not have */
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
    const cJSON *received;             /* NULL if it is missing; the body's */
};

/* The first ones that were found. */
struct form_problems {
    struct form_problem items[FORM_PROBLEMS_MAX];
    size_t count;
};

/* NULL if it is no JSON: text in UTF-8, without a NUL even as \u0000, and nothing behind the value.
 * Else for cJSON_Delete(). `text` ends with a NUL, which `len` does not count. */
cJSON *form_parse(const char *text, size_t len);

/* Whether the value is an object as the table says; `closed`: one without other members. */
bool form_check(const struct form_field *fields, const cJSON *value, bool closed,
                struct form_problems *problems);

#endif
