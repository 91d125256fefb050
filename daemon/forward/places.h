/* SPDX-License-Identifier: MIT
 *
 * places.h - the attempts of one lane: those under way, and room for more.
 *
 * Ownership  A place stays where it is, since the journal and libcurl know it, and is used again.
 * Threads    The forwarder's.
 */
#ifndef DAEMON_FORWARD_PLACES_H
#define DAEMON_FORWARD_PLACES_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/forward/attempt.h"

struct slots {
    struct attempt **all;
    unsigned count;
};

/* Makes them at least `count`: they never get fewer. Each is a copy of `like`. False without
 * memory; then there are those that there are. */
bool slots_grow(struct slots *slots, unsigned count, const struct attempt *like);
void slots_free(struct slots *slots);

unsigned slots_in(const struct slots *slots, enum attempt_state state);
unsigned slots_sending_again(const struct slots *slots);

/* NULL if there is none. */
struct attempt *slots_find(const struct slots *slots, int64_t seq);
struct attempt *slots_unused(const struct slots *slots);

/* When the first of those that the journal has not taken is to be given to it again; INT64_MAX if
 * there are none. */
int64_t slots_record_at_us(const struct slots *slots);

/* Ends what is being sent. */
void slots_cancel(const struct slots *slots);

/* Up to where all is taken up, if it is up to `position` but for what is under way; `but` does not
 * count. */
int64_t slots_low_water(const struct slots *slots, int64_t position, const struct attempt *but);

#endif
