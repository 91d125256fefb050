/* SPDX-License-Identifier: MIT
 *
 * diagnosis.h - what the findings of a ping mean: one sentence for people, with what to do, and how
 * the command ends. Pure.
 */
#ifndef CLI_PING_DIAGNOSIS_H
#define CLI_PING_DIAGNOSIS_H

#include "cli/outcome.h"
#include "cli/ping/observed.h"

enum {
    DIAGNOSIS_TEXT_SIZE = 1024
};

struct diagnosis {
    enum outcome outcome;
    const char *name; /* stable, for scripts: "confirmed", "clock", "secret_newline", ... */
    char text[DIAGNOSIS_TEXT_SIZE];
};

void diagnosis_make(struct diagnosis *diagnosis, const struct observed *observed);

#endif
