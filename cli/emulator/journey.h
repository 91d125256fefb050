/* SPDX-License-Identifier: MIT
 *
 * journey.h - one delivery on its way: copies of all that is needed until it is over.
 *
 * Ownership  journey_new() makes it, journey_free() wipes and releases it.
 */
#ifndef CLI_EMULATOR_JOURNEY_H
#define CLI_EMULATOR_JOURNEY_H

#include <stdbool.h>

#include "cli/emulator/courier.h"

struct dispatch_order;
struct dispatch_attempt;
struct dispatcher;
struct errand;
struct ledger_endpoint;

enum {
    JOURNEY_RETRIES_MAX = 16,
    JOURNEY_EXTRA_MAX = 8,
};

struct journey {
    struct letter letter;
    struct dispatcher *dispatcher;
    struct errand *errand;
    char *provider, *endpoint_id, *event_id, *event_type;
    char *delivery_id; /* NULL: nothing is recorded */
    char *status_names[5];
    unsigned retry_s[JOURNEY_RETRIES_MAX + 1];
    unsigned attempts, copies_left;
    bool will_retry; /* the last attempt failed, and another one is to come */
    bool repeating;  /* what is under way is the very same request once more */
    void (*done)(void *data, const struct dispatch_attempt *attempt); /* NULL after the first */
    void *data;
    /* What the letter points to. */
    char *url, *signed_url, *description, *body, *secrets[2], *extra[JOURNEY_EXTRA_MAX + 1];
};

/* NULL without memory, or if there are more than JOURNEY_EXTRA_MAX further headers. */
struct journey *journey_new(const struct dispatch_order *order);
/* Before another attempt: the endpoint's URL and secrets as they are now. Without memory they stay
 * as they were. */
void journey_renew(struct journey *journey, const struct ledger_endpoint *endpoint);
void journey_free(struct journey **journey);

#endif
