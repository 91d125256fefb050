/* SPDX-License-Identifier: MIT
 *
 * diagnosis.h - the meaning of an observed round trip: one sentence with the remedy, and the
 * outcome of the command. Pure.
 */
#ifndef CLI_PING_DIAGNOSIS_H
#define CLI_PING_DIAGNOSIS_H

#include "cli/command.h"
#include "cli/ping/observed.h"

enum {
    DIAGNOSIS_TEXT_SIZE = 1024
};

struct diagnosis {
    enum outcome outcome;
    const char *name; /* for scripts, never renamed: "confirmed", "clock", ... */
    char text[DIAGNOSIS_TEXT_SIZE];
};

void diagnosis_make(struct diagnosis *diagnosis, const struct observed *observed);

#endif
