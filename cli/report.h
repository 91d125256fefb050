/* SPDX-License-Identifier: MIT
 *
 * report.h - the findings of a ping and what they mean, for people and for scripts.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdio.h>

#include "diagnosis.h"
#include "findings.h"

/* The timeline, and the last line if it is a good one. */
void report_print(const struct findings *findings, const struct diagnosis *diagnosis, FILE *stream);

/* One line. */
void report_print_json(const struct findings *findings, const struct diagnosis *diagnosis,
                       FILE *stream);

#endif
