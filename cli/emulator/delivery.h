/* SPDX-License-Identifier: MIT
 *
 * delivery.h - delivers events to endpoints: records, signs and sends them, applies faults, and
 * retries on the provider's schedule.
 *
 * Threads    Loop. The courier sends on its own thread.
 */
#ifndef CLI_EMULATOR_DELIVERY_H
#define CLI_EMULATOR_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/faults.h"
#include "daemon/base/ids.h"

/* ---- dispatcher
 *
 * Ownership  dispatcher_open() makes it; dispatcher_close() ends it after dispatcher_stop().
 * Threads    dispatcher_start() and dispatcher_stop() on the loop; open and close while there is no
 *            loop. */

struct courier;
struct dispatcher;
struct loop_calls;
struct ledger;

/* A finished attempt, for the log. */
struct dispatch_log_entry {
    int64_t at_us;                                      /* since 1970 */
    const char *provider, *endpoint, *delivery, *event; /* delivery: NULL if not recorded */
    unsigned attempt;                                   /* from 1; a duplicate has its original's */
    bool duplicate;                                     /* a copy of the same request */
    int status;
    const char *error; /* NULL after an answer */
    const struct faults *faults;
};

struct dispatcher_options {
    struct ledger *ledger;
    struct courier *courier;
    void (*note)(void *data, const struct dispatch_log_entry *note); /* on the loop; may be NULL */
    void *data;
};

/* Returns NULL on ENOMEM. */
struct dispatcher *dispatcher_open(const struct dispatcher_options *options);
void dispatcher_close(struct dispatcher **dispatcher);

void dispatcher_start(struct dispatcher *dispatcher, struct loop_calls *loop_calls);

/* Makes dispatcher_send() fail and stops retries. Deliveries in progress still finish: at once
 * if the courier is closed next. */
void dispatcher_stop(struct dispatcher *dispatcher);

struct emulator;
struct ledger_endpoint;

/* Reserves the times of `count` new events, 1 ms apart, and returns the first, in microseconds
 * since 1970. No two events share a time: TruLayer's carry no id, so a receiver would drop the
 * second one as a duplicate. */
int64_t dispatch_take_time(struct emulator *emulator, size_t count);

enum {
    DISPATCH_RETRIES_MAX = 16
};

struct dispatch_attempt {
    const char *delivery_id; /* "" if not recorded */
    int status;              /* of the receiver's answer; 0: none */
    const char *error;       /* NULL after an answer */
    const char *body;        /* by courier_excerpt_make(), or "" */
    size_t len;
    bool succeeded; /* by a 2xx */
    bool will_retry;
};

struct dispatch_request {
    const char *provider;
    const struct ledger_endpoint *endpoint; /* copied */
    const char *event_id, *event_type;
    const char *body; /* JSON */
    size_t len;
    const char *const *extra;    /* more headers, as in struct shipment_spec; copied; may be NULL */
    const char *delivery_id;     /* NULL: not recorded */
    const char *status_names[5]; /* the provider's words for pending, delivering, succeeded, will
                                    be retried, failed. A delivery stays pending until its first
                                    attempt ends */
    const unsigned *retry_s;     /* seconds to each retry; 0 ends them; may be NULL */
    unsigned timeout_s;
    struct faults faults; /* all but burst, see dispatch_test_send(). With reorder, deliveries to
                             a URL are sent one at a time, in the order of dispatch */
    /* Called once on the loop: after the first attempt, or when the emulator stops. May be NULL. */
    void (*done)(void *data, const struct dispatch_attempt *attempt);
    void *data;
};

/* Records the event, if new, and the delivery, and sends it. On failure nothing is recorded or
 * sent; returns false, with the reason in `why` (FAULTS_WHY_SIZE bytes). */
bool dispatcher_send(struct dispatcher *dispatcher, const struct dispatch_request *request,
                     char *why);

/* ---- test events */

struct api_call;

/* The way a provider sends. */
struct dispatch_traits {
    const char *delivery_prefix; /* for delivery ids; NULL: not recorded */
    const char *status_names[5]; /* see struct dispatch_request */
    bool retries;                /* on the emulator's schedule */
    unsigned timeout_s;
};

enum {
    DISPATCH_BATCH_MAX = 100 /* deliveries of a burst */
};

/* The ids of a test event or a burst of them. Delivery ids are "" if not recorded. */
struct dispatch_batch {
    size_t count;
    char event_ids[DISPATCH_BATCH_MAX][IDS_SIZE], delivery_ids[DISPATCH_BATCH_MAX][IDS_SIZE];
};

/* Reads the faults of the call's Hookline-Fault header, else the endpoint's. Returns false for a
 * bad header, with the reason in `why`. */
bool dispatch_test_faults(const struct api_call *call, const struct ledger_endpoint *endpoint,
                          struct faults *faults, char why[FAULTS_WHY_SIZE]);

/* Sends a test event, or a burst of them; `done` is for the first. On failure nothing is sent;
 * returns false, with the reason in `why`. */
bool dispatch_test_send(struct emulator *emulator, const struct ledger_endpoint *endpoint,
                        const struct dispatch_traits *traits, const struct faults *faults,
                        void (*done)(void *data, const struct dispatch_attempt *attempt),
                        void *data, struct dispatch_batch *batch, char why[FAULTS_WHY_SIZE]);

/* Records a test event and a delivery with this status, without sending it. */
bool dispatch_test_skip(struct emulator *emulator, const struct ledger_endpoint *endpoint,
                        const struct dispatch_traits *traits, const char *status,
                        struct dispatch_batch *batch, char why[FAULTS_WHY_SIZE]);

#endif
