/* SPDX-License-Identifier: MIT
 *
 * scheme.h - a scheme's description, read into the form that verify and sign walk.
 *
 * Ownership  A struct scheme holds its own text, and points into it: never copy one.
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
    SCHEME_WORD_MAX = 32, /* of the prefix and of the keys of a list */
    /* Some senders changed their header names and send either set, never a mixture. */
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
    FROM_PAIR, /* of the signature header */
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
    const char *text; /* of a literal; the name of a header */
    size_t len;
};

struct scheme {
    unsigned sets; /* of header names, 1 to SCHEME_SETS_MAX */
    struct {
        const char *name[SCHEME_SETS_MAX];
        const char *also; /* a second header with signatures, or NULL */
        enum list_shape list;
        char separator;
        const char *key; /* the tag or key that marks a signature */
        const char *prefix;
        bool prefix_whole; /* once, before the list, instead of before each signature */
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
        const char *equals; /* path of the signed member that an unsigned header must equal */
    } id;
    struct part content[SCHEME_PARTS_MAX];
    size_t parts;
    struct {
        enum encoding encoding; /* ENCODING_TEXT: the bytes of the text are the key */
        const char *prefix;     /* not part of the key; may be left out; or NULL */
    } secret;
    int tolerance; /* s */
    struct {
        bool json; /* payloads that are no JSON object are malformed */
        const char *type, *created;
        const char *test[SCHEME_TESTS_MAX];
    } event;
    char text[SCHEME_TEXT_MAX];
};

/* Reads a description and refuses those that cannot be verified safely. Returns false and
 * writes why. */
bool scheme_parse(struct scheme *scheme, const char *description, char *why, size_t why_size);

/* The rules beyond the grammar; NULL, or what is wrong. */
const char *scheme_danger(const struct scheme *scheme);

bool scheme_signs(const struct scheme *scheme, enum part_kind kind);

#endif
