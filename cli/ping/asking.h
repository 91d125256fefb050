/* SPDX-License-Identifier: MIT
 *
 * asking.h - one question to a provider's API and its answer, kept until somebody looks at it.
 *
 * Ownership  A zeroed struct asks nothing; round_trip_call_end() releases what it holds.
 * Threads    That of its set of calls.
 */
#ifndef CLI_PING_ASKING_H
#define CLI_PING_ASKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/http/client.h"

struct round_trip_call {
    struct client_call *call; /* NULL: none is under way */
    bool ended;
    enum client_outcome outcome;
    int status;
    bool cut; /* the answer is longer than is ever read */
    char error[256];
    int64_t date_us; /* since 1970, of the header Date; 0: none */
    char *bytes;     /* of the answer; NULL without memory */
    size_t len;
};

/* `headers` as client_call_start() takes them. What cannot begin has ended, and failed. */
void round_trip_call_start(struct round_trip_call *a, struct client_calls *calls,
                           const struct client_target *target, const char *method,
                           const char *const *headers);

void round_trip_call_end(struct round_trip_call *a);

#endif
