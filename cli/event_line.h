/* SPDX-License-Identifier: MIT
 *
 * event_line.h - an event of a sink on a line, for people.
 */
#ifndef CLI_EVENT_LINE_H
#define CLI_EVENT_LINE_H

#include <stdio.h>

#include <cjson/cJSON.h>

void event_line_write(FILE *out, const cJSON *event);

#endif
