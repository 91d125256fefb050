/* SPDX-License-Identifier: MIT
 *
 * record.h - what a sink tells of a delivery or an event, one JSON object: its number, and the
 * object itself on a line. Pure, but for the stream.
 *
 * Ownership  Nothing is kept.
 * Threads    Any.
 * Errors     Without memory nothing is written.
 */
#ifndef CLI_RECORD_H
#define CLI_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <cjson/cJSON.h>

/* The number of the delivery, 1 and up; 0 if there is none. */
int64_t record_seq(const cJSON *record);

/* The same as an argument. */
bool record_read_seq(const char *text, int64_t *seq);

/* As text_write_json() writes JSON. */
void record_write(FILE *out, const cJSON *record);

#endif
