/* SPDX-License-Identifier: MIT
 *
 * scheme.h - a parsed scheme description, the form that verify and sign use.
 *
 * Ownership  A struct scheme contains its text and points into it: never copy one.
 * Threads    One thread parses; then any number may read.
 * Errors     false with a sentence in `why`, or a sentence instead of NULL.
 */
#ifndef SCHEME_H
#define SCHEME_H

#include <stdbool.h>
#include <stddef.h>

#include "codec.h"
#include "timestamp.h"

enum {
    SCHEME_TEXT_MAX = 1024,
    SCHEME_PARTS_MAX = 12,
    SCHEME_TESTS_MAX = 4,
    SCHEME_WORD_MAX = 32, /* bytes of a prefix, tag or key */
    /* Some senders renamed their headers and send either set, never a mixture. */
    SCHEME_SETS_MAX = 2,
};

enum list_shape {
    LIST_NONE,   /* xxx            */
    LIST_TAGGED, /* v1,xxx v1,yyy  */
    LIST_PAIRS,  /* t=1,v1=xxx     */
    LIST_BARE,   /* xxx,yyy        */
};

enum fact_source {
    FROM_NOWHERE,
    FROM_HEADER,
    FROM_PAIR, /* an item of the signature header */
    FROM_BODY, /* a member of the signed JSON */
};

enum part_kind {
    PART_LITERAL,
    PART_TIMESTAMP,
    PART_ID,
    PART_HEADER,
    PART_BODY,
    PART_METHOD,
    PART_URL,
};

struct part {
    enum part_kind kind;
    const char *text; /* literal text, or the name of a header */
    size_t len;
};

struct scheme {
    unsigned sets; /* sets of header names, 1 to SCHEME_SETS_MAX */
    struct {
        const char *name[SCHEME_SETS_MAX];
        const char *also; /* a second header with signatures, or NULL */
        enum list_shape list;
        char separator;
        const char *key; /* tag or key of a signature */
        const char *prefix;
        bool prefix_whole; /* the prefix precedes the list, not each signature */
        enum encoding encoding;
    } signature;
    struct {
        enum fact_source source;
        const char *name[SCHEME_SETS_MAX]; /* header, key of the pair or path of the member */
        enum time_unit unit;
        bool optional;
    } timestamp;
    struct {
        enum fact_source source;
        const char *name[SCHEME_SETS_MAX];
        const char *equals; /* path of the signed member that equals an unsigned header */
    } id;
    const char *delivery[SCHEME_SETS_MAX]; /* header with the sender's unsigned id, or NULL */
    struct part content[SCHEME_PARTS_MAX];
    size_t parts;
    struct {
        enum encoding encoding; /* ENCODING_TEXT: the text itself is the key */
        const char *prefix;     /* optional in the secret, not part of the key; or NULL */
    } secret;
    int tolerance; /* s, past and future */
    struct {
        bool json; /* reject payloads that are no JSON object */
        const char *type, *created;
        const char *test[SCHEME_TESTS_MAX];
    } event;
    char text[SCHEME_TEXT_MAX];
};

/* Parses a description and rejects unsafe ones. Returns false and writes the reason to `why`. */
bool hookline_scheme_parse(struct scheme *scheme, const char *description, char *why,
                           size_t why_size);

/* Checks the rules beyond the grammar. Returns NULL, or the violated rule as static text. */
const char *hookline_scheme_danger(const struct scheme *scheme);

/* Returns true if the content contains a part of this kind. */
static inline bool hookline_scheme_signs(const struct scheme *scheme, enum part_kind kind)
{
    for (size_t i = 0; i < scheme->parts; i++)
        if (scheme->content[i].kind == kind)
            return true;
    return false;
}

/* Returns the index of {body}, which each content has that was not rejected. */
static inline size_t hookline_scheme_body(const struct scheme *scheme)
{
    size_t i = 0;

    while (scheme->content[i].kind != PART_BODY)
        i++;
    return i;
}

#endif
