/* SPDX-License-Identifier: MIT
 *
 * journey.h - one delivery on its way: copies of all that is needed until it is over.
 *
 * Ownership  emulated_delivery_new() makes it, emulated_delivery_free() wipes and releases it.
 */
#ifndef CLI_EMULATOR_JOURNEY_H
#define CLI_EMULATOR_JOURNEY_H

#include <stdbool.h>

#include "cli/emulator/courier.h"

struct dispatch_request;
struct dispatch_attempt;
struct dispatcher;
struct loop_call;
struct ledger_endpoint;

enum {
    EMULATED_RETRIES_MAX = 16,
    EMULATED_EXTRA_MAX = 8,
};

struct emulated_delivery {
    struct courier_job job;
    struct dispatcher *dispatcher;
    struct loop_call *loop_call;
    char *provider, *endpoint_id, *event_id, *event_type;
    char *delivery_id; /* NULL: nothing is recorded */
    char *status_names[5];
    unsigned retry_s[EMULATED_RETRIES_MAX + 1];
    unsigned attempts, copies_left;
    bool will_retry; /* the last attempt failed, and another one is to come */
    bool repeating;  /* what is under way is the very same request once more */
    void (*done)(void *data, const struct dispatch_attempt *attempt); /* NULL after the first */
    void *data;
    /* What the letter points to. */
    char *url, *signed_url, *description, *body, *secrets[2], *extra[EMULATED_EXTRA_MAX + 1];
};

/* NULL without memory, or if there are more than EMULATED_EXTRA_MAX further headers. */
struct emulated_delivery *emulated_delivery_new(const struct dispatch_request *request);
/* Before another attempt: the endpoint's URL and secrets as they are now. Without memory they stay
 * as they were. */
void emulated_delivery_refresh(struct emulated_delivery *delivery,
                               const struct ledger_endpoint *endpoint);
void emulated_delivery_free(struct emulated_delivery **delivery);

#endif
