/* SPDX-License-Identifier: MIT
 *
 * dispatch.h - an event on its way to an endpoint: recorded, signed, sent, spoilt where a fault
 * asks for it, and sent again on the provider's schedule.
 *
 * Threads    The loop's; the sending itself is the courier's, on a thread of its own.
 */
#ifndef CLI_EMULATOR_DISPATCH_H
#define CLI_EMULATOR_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/fault.h"

struct dispatcher;
struct ledger_endpoint;

struct dispatch_attempt {
    const char *delivery_id; /* "" if nothing is recorded */
    int status;              /* of the receiver's answer; 0 if none came */
    const char *error;       /* NULL if it answered */
    const char *body;        /* of the answer, as excerpt.h makes it; "" if there is none */
    size_t len;
    bool succeeded;  /* 2xx */
    bool will_retry; /* there will be another attempt */
};

struct dispatch_request {
    const char *provider;
    const struct ledger_endpoint *endpoint; /* copied */
    const char *event_id, *event_type;
    const char *body; /* JSON */
    size_t len;
    const char *const
        *extra; /* further headers, as struct shipment_spec has them; copied; may be NULL */
    const char *delivery_id;     /* NULL: ephemeral, nothing is recorded */
    const char *status_names[5]; /* the provider's words for pending, delivering, succeeded,
                                    will be retried, failed. Nobody sees it delivering: it is
                                    pending until the first attempt is over */
    const unsigned *retry_s;     /* seconds until each further attempt; 0 ends them; may be NULL */
    unsigned timeout_s;
    struct faults faults; /* all but burst: trial.h makes the events. With reorder they arrive in
                             the order in which they are dispatched, one after the other */
    /* After the first attempt, on the loop, exactly once, also if all ends before it; may be
     * NULL. */
    void (*done)(void *data, const struct dispatch_attempt *attempt);
    void *data;
};

/* Records the event, unless it is there already, and the delivery. False, and in `why`
 * (FAULTS_WHY_SIZE bytes) what is wrong: then nothing has happened. */
bool dispatcher_send(struct dispatcher *dispatcher, const struct dispatch_request *request,
                     char *why);

#endif
