/* SPDX-License-Identifier: MIT
 *
 * report.h - the findings of a ping and what they mean, for people and for scripts.
 */
#ifndef CLI_PING_REPORT_H
#define CLI_PING_REPORT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "cli/ping/diagnosis.h"
#include "cli/ping/observed.h"
#include "cli/terminal.h"

/* ---- what happened when, as a table for people and as JSON.
 *
 * Ownership  A zeroed struct is an empty one; it holds copies. */

enum {
    TIMELINE_ROWS_MAX = 100,
    TIMELINE_TEXT_SIZE = 320,
};

struct timeline_row {
    const char *what; /* one word; kept */
    int64_t at_us;    /* since 1970 */
    enum terminal_tone tone;
    char text[TIMELINE_TEXT_SIZE];
};

struct timeline {
    size_t count;
    struct timeline_row rows[TIMELINE_ROWS_MAX];
};

/* Behind those of the same time; what is too much is left out. Nothing can have happened before the
 * first row, which is the one that times are counted from. */
void timeline_add(struct timeline *timeline, const char *what, int64_t at_us,
                  enum terminal_tone tone, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* A line for each row: what, ms since the first one, text. */
void timeline_print(const struct timeline *timeline, FILE *stream);

/* A list of {"what","time","ms","text"}; NULL without memory. */
cJSON *timeline_json(const struct timeline *timeline);

/* The timeline, and the last line if it is a good one. */
void report_print(const struct observed *observed, const struct diagnosis *diagnosis, FILE *stream);

/* One line. */
void report_print_json(const struct observed *observed, const struct diagnosis *diagnosis,
                       FILE *stream);

#endif
