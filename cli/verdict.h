/* SPDX-License-Identifier: MIT
 *
 * verdict.h - what is said of a request that was verified: for people, or as JSON. What it prints
 * of the request is authentic, or harmless to a terminal.
 *
 * Ownership  The verdict points into what is somebody else's.
 */
#ifndef CLI_VERDICT_H
#define CLI_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include <hookline.h>

#include "cli/command.h"

struct verdict {
    const char *scheme, *source; /* source: NULL if it is none of hooklined's */
    size_t secrets_count;
    hookline_result result;
    int code;                    /* result.reason, or why the event could not be read */
    int64_t now;                 /* at which it was verified */
    const hookline_event *event; /* NULL: it was not read */
    const char *hint, *hint_text,
        *hint_source;                /* the usual mistake behind it; NULL: none is found */
    const hookline_signature *right; /* what would be verified, for who is testing; else NULL */
};

enum outcome verdict_outcome(const struct verdict *verdict);

void verdict_print(const struct verdict *verdict);

/* False without memory. */
bool verdict_print_json(const struct verdict *verdict);

#endif
