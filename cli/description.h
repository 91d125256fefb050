/* SPDX-License-Identifier: MIT
 *
 * description.h - parses the description of a signature scheme, hookline-schemes(7), into clauses
 * and into a summary for people. The library checks that a description is valid. Pure.
 *
 * Ownership  A clause points into its description; a summary holds copies.
 */
#ifndef CLI_DESCRIPTION_H
#define CLI_DESCRIPTION_H

#include <hookline.h>
#include <stdbool.h>
#include <stddef.h>

#include "daemon/hints/clause.h"

/* Returns true if the signed content has this part, such as "{url}". */
bool description_signs(const char *description, const char *part);

/* ---- summary */

enum {
    DESCRIPTION_NAME_SIZE = 256,
    DESCRIPTION_TEXT_SIZE = 1100
};

/* "" or NULL where the scheme has no such clause. */
struct description_summary {
    char signature[DESCRIPTION_NAME_SIZE]; /* header name, or "A or B" */
    char also[DESCRIPTION_NAME_SIZE];      /* second signature header */
    char form[DESCRIPTION_NAME_SIZE];      /* of the header's value: "t=TIME,v1=SIGNATURE" */
    const char *encoding;                  /* "hex", ... */
    char time[DESCRIPTION_NAME_SIZE];      /* place: "header X-Foil-Timestamp", ... */
    const char *time_unit;                 /* "seconds", ... */
    bool time_optional;
    char id[DESCRIPTION_NAME_SIZE];       /* place, as for `time` */
    char delivery[DESCRIPTION_NAME_SIZE]; /* header with the unsigned id of the delivery */
    char content[DESCRIPTION_TEXT_SIZE];
    const char *secret; /* encoding: "text", "base64" or "hex" */
    char secret_prefix[DESCRIPTION_NAME_SIZE];
    long tolerance_s;
    char tests[DESCRIPTION_NAME_SIZE]; /* types of test events, comma-separated */
};

void description_summarize(struct description_summary *summary, const char *description);

#endif
