/* SPDX-License-Identifier: MIT
 *
 * record.h - delivery or event of a sink, a JSON object: reads its number, prints it on one line.
 * Pure, except for the stream.
 *
 * Threads    Any.
 * Errors     Prints nothing on ENOMEM.
 */
#ifndef CLI_RECORD_H
#define CLI_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <cjson/cJSON.h>

/* Returns the delivery number, 1 or more; 0 if absent. */
int64_t record_seq(const cJSON *record);

/* Parses a delivery number from the command line. Returns false unless it is 1 or more. */
bool record_read_seq(const char *text, int64_t *seq);

/* Prints the object by text_write_json(), on one line. */
void record_write(FILE *out, const cJSON *record);

#endif
