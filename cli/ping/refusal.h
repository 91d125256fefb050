/* SPDX-License-Identifier: MIT
 *
 * refusal.h - why the sink has refused a delivery, as what a person can do about it. Pure.
 */
#ifndef CLI_PING_REFUSAL_H
#define CLI_PING_REFUSAL_H

#include <stddef.h>

#include "cli/ping/findings.h"
#include "cli/outcome.h"

enum outcome refusal_outcome(const struct sighting *sighting);

/* Stable: the hint of the sink, "clock", or the reason in the sink's line. */
const char *refusal_name(const struct sighting *sighting);

/* One sentence about the delivery that was seen. */
void refusal_explain(const struct findings *findings, char *text, size_t size);

#endif
