/* SPDX-License-Identifier: MIT
 *
 * anatomy.h - a scheme's description taken apart, in words that a person knows. Pure.
 *
 * Ownership  The texts are the anatomy's own.
 */
#ifndef CLI_ANATOMY_H
#define CLI_ANATOMY_H

#include <stdbool.h>

enum {
    ANATOMY_NAME_SIZE = 256,
    ANATOMY_TEXT_SIZE = 1100
};

/* "" where the scheme has no such thing. */
struct anatomy {
    char signature[ANATOMY_NAME_SIZE]; /* the header's name, or "A or B" */
    char also[ANATOMY_NAME_SIZE];      /* a second header of the kind */
    char form[ANATOMY_NAME_SIZE];      /* its value: "t=TIME,v1=SIGNATURE" */
    const char *encoding;              /* "hex", ... */
    char time[ANATOMY_NAME_SIZE];      /* where it is: "header X-Foil-Timestamp", ... */
    const char *time_unit;             /* "seconds", ... */
    bool time_optional;
    char id[ANATOMY_NAME_SIZE]; /* likewise */
    char content[ANATOMY_TEXT_SIZE];
    const char *secret; /* how it becomes the key */
    char secret_prefix[ANATOMY_NAME_SIZE];
    long tolerance_s;
    char tests[ANATOMY_NAME_SIZE]; /* types of test events, with commas */
};

void anatomy_read(struct anatomy *anatomy, const char *description);

#endif
