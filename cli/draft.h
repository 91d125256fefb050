/* SPDX-License-Identifier: MIT
 *
 * draft.h - an unsigned request from the options of `sign` and `send`: a body from a file, from the
 * command line or from the sender's test event, with id, time and headers.
 *
 * Ownership  draft_open() fills it, draft_close() releases it. It points into options and secrets.
 */
#ifndef CLI_DRAFT_H
#define CLI_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hookline.h>

#include "cli/command.h"
#include "cli/payload.h"
#include "cli/request.h"

struct secrets;

struct draft_options {
    const char *body;            /* file with the body; NULL: none */
    const char *data;            /* the body itself, or "@FILE"; NULL: none */
    bool test;                   /* generate the scheme's test event */
    const char *id;              /* NULL: generate one if the scheme needs it */
    int64_t now;                 /* time to sign, seconds since 1970; 0: now */
    struct option_texts headers; /* extra headers, "Name: value" */
};

/* Rows for the struct draft_options `member` of the command's `type`. */
#define DRAFT_OPTIONS(type, member)                                                                \
    TEXT(0, "body", type, member.body, "FILE",                                                     \
         "read the body from FILE, byte for byte; - is standard\ninput"),                          \
        TEXT(0, "data", type, member.data, "TEXT|@FILE",                                           \
             "use TEXT as the body; @FILE is like --body FILE"),                                   \
        FLAG(0, "test", type, member.test, "use the scheme's test event as the body"),             \
        TEXT(0, "id", type, member.id, "ID",                                                       \
             "set the message id; default: the body's, or a new one"),                             \
        NUMBER(0, "now", type, member.now, "SECONDS", 1, DRAFT_NOW_MAX,                            \
               "sign this time, in seconds since 1970; default: now"),                             \
        TEXTS('H', "header", type, member.headers, "'NAME: VALUE'",                                \
              "add a header, which some schemes sign; repeatable")

#define DRAFT_NOW_MAX 253402300799 /* end of the year 9999 */

enum {
    DRAFT_WHY_SIZE = 512,
    DRAFT_ID_SIZE = 320
};

struct draft {
    hookline_bytes body, id; /* id: empty without an id header, or if it equals the body's */
    const char *file;        /* with the body; NULL: none */
    int64_t now;
    const char *extra[OPTION_TEXTS_MAX + 3]; /* NULL-terminated */
    char id_text[DRAFT_ID_SIZE];
    struct buffer contents;
    struct payload payload;
};

/* `number`, from 0, counts drafts of the same options, so that each test event has its own id and
 * time. Returns false, with the reason in `why` and nothing to close, on failure. */
bool draft_open(struct draft *draft, const struct draft_options *options,
                const struct secrets *secrets, unsigned number, char why[DRAFT_WHY_SIZE]);
void draft_close(struct draft *draft);

#endif
