/* SPDX-License-Identifier: MIT
 *
 * asking.h - one question to a provider's API and its answer, kept until somebody looks at it.
 *
 * Ownership  A zeroed struct asks nothing; asking_end() releases what it holds.
 * Threads    That of its set of calls.
 */
#ifndef CLI_PING_ASKING_H
#define CLI_PING_ASKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/http/call.h"

struct asking {
    struct call *call; /* NULL: none is under way */
    bool ended;
    enum call_outcome outcome;
    int status;
    bool cut; /* the answer is longer than is ever read */
    char error[256];
    int64_t date_us; /* since 1970, of the header Date; 0: none */
    char *bytes;     /* of the answer; NULL without memory */
    size_t len;
};

/* `headers` as call_start() takes them. What cannot begin has ended, and failed. */
void asking_begin(struct asking *a, struct call_set *calls, const struct call_target *target,
                  const char *method, const char *const *headers);

void asking_end(struct asking *a);

#endif
