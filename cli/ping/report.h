/* SPDX-License-Identifier: MIT
 *
 * report.h - the findings of a ping and what they mean, for people and for scripts.
 */
#ifndef CLI_PING_REPORT_H
#define CLI_PING_REPORT_H

#include <stdio.h>

#include "cli/ping/diagnosis.h"
#include "cli/ping/findings.h"

/* The timeline, and the last line if it is a good one. */
void report_print(const struct observed *observed, const struct diagnosis *diagnosis, FILE *stream);

/* One line. */
void report_print_json(const struct observed *observed, const struct diagnosis *diagnosis,
                       FILE *stream);

#endif
