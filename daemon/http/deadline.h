/* SPDX-License-Identifier: MIT
 *
 * deadline.h - what a connection is doing, and whether it has done so for too long. Pure.
 */
#ifndef DAEMON_HTTP_DEADLINE_H
#define DAEMON_HTTP_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

enum deadline_phase {
    DEADLINE_HANDSHAKE, /* before HTTP */
    DEADLINE_IDLE,
    DEADLINE_HEAD,
    DEADLINE_BODY,
    DEADLINE_WORK, /* ours, which takes what it takes */
    DEADLINE_RESPONSE,
    DEADLINE_CLOSING, /* there is something left to write */
};

enum {
    DEADLINE_PHASES = DEADLINE_CLOSING + 1
};

struct deadline_limits {
    unsigned header_s, body_s, idle_s;
};

struct deadline {
    enum deadline_phase phase;
    unsigned request; /* in which it is, of those of the connection */
    int64_t since_us;
};

/* Begins anew if the phase is another one, or the same of another request. */
void deadline_enter(struct deadline *deadline, enum deadline_phase phase, unsigned request,
                    int64_t now_us);

bool deadline_is_over(const struct deadline *deadline, const struct deadline_limits *limits,
                      int64_t now_us);

#endif
