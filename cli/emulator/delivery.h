/* SPDX-License-Identifier: MIT
 *
 * delivery.h - an event on its way to an endpoint: recorded, signed, sent, spoilt where a fault
 * asks for it, and sent again on the provider's schedule.
 *
 * Threads    The loop's; the sending itself is the courier's, on a thread of its own.
 */
#ifndef CLI_EMULATOR_DELIVERY_H
#define CLI_EMULATOR_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/faults.h"
#include "daemon/base/ids.h"

/* ---- what dispatch.h needs: opened, started and stopped.
 *
 * Ownership  dispatcher_open() makes it, dispatcher_close() ends it, when it is stopped.
 * Threads    dispatcher_start() and dispatcher_stop() on the loop, the others on another thread
 *            while there is no loop. */

struct courier;
struct dispatcher;
struct loop_calls;
struct ledger;

/* An attempt that is over, for those who watch. */
struct dispatch_log_entry {
    int64_t at_us;                                      /* since 1970 */
    const char *provider, *endpoint, *delivery, *event; /* delivery: NULL if nothing is recorded */
    unsigned attempt; /* from 1 on; that of the one that it repeats, for a duplicate */
    bool duplicate;   /* the very same request, once more */
    int status;
    const char *error; /* NULL if it was answered */
    const struct faults *faults;
};

struct dispatcher_options {
    struct ledger *ledger;
    struct courier *courier;
    void (*note)(void *data, const struct dispatch_log_entry *note); /* on the loop; may be NULL */
    void *data;
};

/* NULL without memory. */
struct dispatcher *dispatcher_open(const struct dispatcher_options *options);
void dispatcher_close(struct dispatcher **dispatcher);

void dispatcher_start(struct dispatcher *dispatcher, struct loop_calls *loop_calls);

/* From now on dispatcher_send() refuses, and nothing is tried again. What is under way still comes back:
 * at once, when the courier is closed after this. */
void dispatcher_stop(struct dispatcher *dispatcher);

struct emulator;
struct ledger_endpoint;

/* Microseconds since 1970, for what is made now: `count` events, each a millisecond younger than
 * the one before. No two events have the same: where nothing else tells them apart, as with
 * TruLayer's, the receiver would take the second one for a duplicate. */
int64_t dispatch_take_time(struct emulator *emulator, size_t count);

enum {
    DISPATCH_RETRIES_MAX = 16
};

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

/* ---- "send a test": an endpoint's test event on its way, as often as the faults ask for.
 *
 * Threads    The loop's. */

struct api_call;

/* How a provider sends. */
struct dispatch_traits {
    const char *delivery_prefix; /* of the ids of deliveries; NULL: nothing is recorded */
    const char *status_names[5]; /* as struct dispatch_request has them */
    bool retries;                /* on the emulator's schedule */
    unsigned timeout_s;
};

enum {
    DISPATCH_BATCH_MAX = 100 /* deliveries of one burst */
};

/* What is on its way: the event, and the delivery if one is recorded, of each that was made. */
struct dispatch_batch {
    size_t count;
    char event_ids[DISPATCH_BATCH_MAX][IDS_SIZE], delivery_ids[DISPATCH_BATCH_MAX][IDS_SIZE];
};

/* The faults of this call: those of its header Hookline-Fault, else those of the endpoint. False,
 * and in `why` what is wrong with the header. */
bool dispatch_test_faults(const struct api_call *call, const struct ledger_endpoint *endpoint,
                          struct faults *faults, char why[FAULTS_WHY_SIZE]);

/* Sends one, or a burst of them. `done` is for the one that goes first, as dispatcher_send() calls it.
 * False, and in `why` what is wrong: then nothing is on its way. */
bool dispatch_test_send(struct emulator *emulator, const struct ledger_endpoint *endpoint,
                        const struct dispatch_traits *traits, const struct faults *faults,
                        void (*done)(void *data, const struct dispatch_attempt *attempt),
                        void *data, struct dispatch_batch *batch, char why[FAULTS_WHY_SIZE]);

/* Records an event and a delivery that is not sent, with this status. */
bool dispatch_test_skip(struct emulator *emulator, const struct ledger_endpoint *endpoint,
                        const struct dispatch_traits *traits, const char *status,
                        struct dispatch_batch *batch, char why[FAULTS_WHY_SIZE]);

#endif
