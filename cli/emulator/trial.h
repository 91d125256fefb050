/* SPDX-License-Identifier: MIT
 *
 * trial.h - "send a test": an endpoint's test event on its way, as often as the faults ask for.
 *
 * Threads    The loop's.
 */
#ifndef CLI_EMULATOR_TRIAL_H
#define CLI_EMULATOR_TRIAL_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/fault.h"
#include "cli/emulator/dispatch.h"
#include "daemon/base/ids.h"

struct api_call;
struct emulator;
struct ledger_endpoint;

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
