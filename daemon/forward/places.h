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

struct places {
    struct attempt **all;
    unsigned count;
};

/* Makes them at least `count`: they never get fewer. Each is a copy of `like`. False without
 * memory; then there are those that there are. */
bool places_grow(struct places *places, unsigned count, const struct attempt *like);
void places_free(struct places *places);

unsigned places_in(const struct places *places, enum attempt_state state);
unsigned places_sending_again(const struct places *places);

/* NULL if there is none. */
struct attempt *places_find(const struct places *places, int64_t seq);
struct attempt *places_unused(const struct places *places);

/* When the first of those that the journal has not taken is to be given to it again; INT64_MAX if
 * there are none. */
int64_t places_record_at_us(const struct places *places);

/* Ends what is being sent. */
void places_cancel(const struct places *places);

/* Up to where all is taken up, if it is up to `position` but for what is under way; `but` does not
 * count. */
int64_t places_cursor(const struct places *places, int64_t position, const struct attempt *but);

#endif
