/* SPDX-License-Identifier: MIT
 *
 * description.h - a scheme's description taken apart, in words that a person knows. Pure.
 *
 * Ownership  The texts are the anatomy's own.
 */
#ifndef CLI_DESCRIPTION_H
#define CLI_DESCRIPTION_H

#include <hookline.h>
#include <stdbool.h>
#include <stddef.h>

#include "daemon/hints/clause.h"

/* Whether the content that is signed has this part, such as "{url}". */
bool description_signs(const char *description, const char *part);

enum {
    DESCRIPTION_NAME_SIZE = 256,
    DESCRIPTION_TEXT_SIZE = 1100
};

/* "" where the scheme has no such thing. */
struct description_summary {
    char signature[DESCRIPTION_NAME_SIZE]; /* the header's name, or "A or B" */
    char also[DESCRIPTION_NAME_SIZE];      /* a second header of the kind */
    char form[DESCRIPTION_NAME_SIZE];      /* its value: "t=TIME,v1=SIGNATURE" */
    const char *encoding;                  /* "hex", ... */
    char time[DESCRIPTION_NAME_SIZE];      /* where it is: "header X-Foil-Timestamp", ... */
    const char *time_unit;                 /* "seconds", ... */
    bool time_optional;
    char id[DESCRIPTION_NAME_SIZE]; /* likewise */
    char content[DESCRIPTION_TEXT_SIZE];
    const char *secret; /* how it becomes the key */
    char secret_prefix[DESCRIPTION_NAME_SIZE];
    long tolerance_s;
    char tests[DESCRIPTION_NAME_SIZE]; /* types of test events, with commas */
};

void description_summarize(struct description_summary *summary, const char *description);

#endif
