/* SPDX-License-Identifier: MIT
 *
 * draft.h - what a user wants signed: a body from a file, from the command line or made as the
 * sender's test event, and what goes with it.
 *
 * Ownership  draft_open() fills it, draft_close() releases it. It points into options and trust.
 */
#ifndef CLI_DRAFT_H
#define CLI_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hookline.h>

#include "cli/command.h"
#include "cli/request.h"
#include "cli/payload.h"

struct secrets;

struct draft_options {
    const char *body;            /* a file, or ... */
    const char *data;            /* ... the text itself, or ... */
    bool test;                   /* ... the scheme's test event */
    const char *id;              /* NULL: made, where the scheme needs one */
    int64_t now;                 /* s since 1970; 0: now */
    struct option_texts headers; /* further ones, "Name: value" */
};

#define DRAFT_OPTIONS(type, member)                                                                \
    TEXT(0, "body", type, member.body, "FILE",                                                     \
         "the body, byte for byte; - is the standard input"),                                      \
        TEXT(0, "data", type, member.data, "TEXT", "or the body itself"),                          \
        FLAG(0, "test", type, member.test, "or the body of the scheme's test event"),              \
        TEXT(0, "id", type, member.id, "ID",                                                       \
             "the message's id; default: the body's, or a new one"),                               \
        NUMBER(0, "now", type, member.now, "SECONDS", 1, DRAFT_NOW_MAX,                            \
               "the time to sign, since 1970; default: now"),                                      \
        TEXTS('H', "header", type, member.headers, "'NAME: VALUE'",                                \
              "a further header; as often as needed. Some schemes sign\nfurther headers")

#define DRAFT_NOW_MAX 253402300799 /* the end of the year 9999 */

enum {
    DRAFT_WHY_SIZE = 512,
    DRAFT_ID_SIZE = 320
};

struct draft {
    hookline_bytes body, id; /* the id: empty if the scheme sends none, or takes that of the body */
    int64_t now;
    const char *extra[OPTION_TEXTS_MAX + 3]; /* headers; NULL is the end */
    char id_text[DRAFT_ID_SIZE];
    struct buffer contents;
    struct payload payload;
};

/* `number` counts drafts that are made of the same options: each test event has its own id and
 * time. False, and in `why` what is wrong: then there is nothing to close. */
bool draft_open(struct draft *draft, const struct draft_options *options,
                const struct secrets *secrets, unsigned number, char why[DRAFT_WHY_SIZE]);
void draft_close(struct draft *draft);

#endif
