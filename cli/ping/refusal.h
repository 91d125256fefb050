/* SPDX-License-Identifier: MIT
 *
 * refusal.h - why the sink has refused a delivery, as what a person can do about it. Pure.
 */
#ifndef CLI_PING_REFUSAL_H
#define CLI_PING_REFUSAL_H

#include <stddef.h>

#include "cli/ping/findings.h"
#include "cli/outcome.h"

enum outcome diagnosis_refusal_outcome(const struct observed_event *seen);

/* Stable: the hint of the sink, "clock", or the reason in the sink's line. */
const char *diagnosis_refusal_name(const struct observed_event *seen);

/* One sentence about the delivery that was seen. */
void diagnosis_explain_refusal(const struct observed *observed, char *text, size_t size);

#endif
