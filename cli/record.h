/* SPDX-License-Identifier: MIT
 *
 * record.h - what a sink tells of a delivery or an event, one JSON object: its members, and the
 * object itself on a line.
 */
#ifndef CLI_RECORD_H
#define CLI_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <cjson/cJSON.h>

/* NULL if there is no such text. */
const char *record_text(const cJSON *record, const char *key);

bool record_is(const cJSON *record, const char *key, const char *text);

/* `otherwise` if there is no such whole number. */
int64_t record_number(const cJSON *record, const char *key, int64_t otherwise);

/* The number of the delivery, 1 and up; 0 if there is none. */
int64_t record_seq(const cJSON *record);

/* The same as an argument. */
bool record_read_seq(const char *text, int64_t *seq);

/* As printable.h writes JSON. */
void record_write(FILE *out, const cJSON *record);

#endif
