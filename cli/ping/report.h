/* SPDX-License-Identifier: MIT
 *
 * report.h - prints an observed round trip and its diagnosis, as text or JSON.
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

/* ---- timeline
 *
 * Ownership  A zeroed struct is empty. Texts are copied. */

enum {
    TIMELINE_ROWS_MAX = 100,
    TIMELINE_TEXT_SIZE = 320,
};

struct timeline_row {
    const char *what; /* one word; borrowed */
    int64_t at_us;    /* since 1970 */
    enum terminal_tone tone;
    char text[TIMELINE_TEXT_SIZE];
};

struct timeline {
    size_t count;
    struct timeline_row rows[TIMELINE_ROWS_MAX];
};

/* Inserts a row by time, after rows of the same time. Rows beyond TIMELINE_ROWS_MAX are dropped.
 * The first row added is time zero: earlier times are raised to it. */
void timeline_add(struct timeline *timeline, const char *what, int64_t at_us,
                  enum terminal_tone tone, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Prints one line per row: word, ms since the first row, text. */
void timeline_print(const struct timeline *timeline, FILE *stream);

/* Returns an array of {"what","time","ms","text"}; NULL on ENOMEM. */
cJSON *timeline_json(const struct timeline *timeline);

/* Prints the timeline, and the diagnosis if it is a success. */
void report_print(const struct observed *observed, const struct diagnosis *diagnosis, FILE *stream);

/* Prints one line. */
void report_print_json(const struct observed *observed, const struct diagnosis *diagnosis,
                       FILE *stream);

#endif
