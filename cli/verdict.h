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

struct verify_report {
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

enum outcome verify_report_outcome(const struct verify_report *verdict);

void verify_report_print(const struct verify_report *verdict);

/* False without memory. */
bool verify_report_print_json(const struct verify_report *verdict);

#endif
