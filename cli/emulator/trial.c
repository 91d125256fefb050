/* SPDX-License-Identifier: MIT */
#include "cli/emulator/trial.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/payload.h"
#include "cli/emulator/api.h"
#include "cli/emulator/emulator.h"
#include "cli/emulator/ledger.h"

struct making {
    struct emulator *emulator;
    const struct ledger_endpoint *endpoint;
    const struct trial_manner *manner;
    const struct faults *faults;
    void (*done)(void *data, const struct dispatch_attempt *attempt);
    void *data;
};

bool trial_faults(const struct api_call *call, const struct ledger_endpoint *endpoint,
                  struct faults *faults, char why[FAULT_WHY_SIZE])
{
    const char *words = api_header(call, "hookline-fault");

    *faults = (struct faults){0};
    return fault_read(faults, words != NULL ? words : endpoint->faults, why);
}

static bool send_one(const struct making *m, const struct payload *payload, const char *event_id,
                     const char *delivery_id, char why[FAULT_WHY_SIZE])
{
    const char *extra[3] = {NULL};
    struct dispatch_order order = {
        .provider = m->endpoint->provider,
        .endpoint = m->endpoint,
        .event_id = event_id,
        .event_type = payload->type,
        .body = payload->body,
        .len = payload->len,
        .extra = extra,
        .delivery_id = delivery_id[0] != '\0' ? delivery_id : NULL,
        .retry_s = m->manner->retries ? m->emulator->retry_s : NULL,
        .timeout_s = m->manner->timeout_s,
        .faults = *m->faults,
        .done = m->done,
        .data = m->data,
    };
    size_t count = 0;

    for (size_t i = 0; i < 2; i++)
        if (payload->headers[i][0] != '\0')
            extra[count++] = payload->headers[i];
    for (size_t i = 0; i < 5; i++)
        order.status_names[i] = m->manner->status_names[i];
    return dispatch(m->emulator->dispatcher, &order, why);
}

/* The ids, so that they are known before anything is sent. */
static void name_all(const struct making *m, struct trial *trial)
{
    const char *prefix = payload_id_prefix(m->endpoint->scheme);

    trial->count = m->faults->burst > TRIAL_MAX ? TRIAL_MAX : m->faults->burst;
    if (trial->count == 0)
        trial->count = 1;
    for (size_t i = 0; i < trial->count; i++) {
        identity_hex(trial->event_ids[i], prefix);
        trial->delivery_ids[i][0] = '\0';
        if (m->manner->delivery_prefix != NULL)
            identity_hex(trial->delivery_ids[i], m->manner->delivery_prefix);
    }
}

bool trial_send(struct emulator *emulator, const struct ledger_endpoint *endpoint,
                const struct trial_manner *manner, const struct faults *faults,
                void (*done)(void *data, const struct dispatch_attempt *attempt), void *data,
                struct trial *trial, char why[FAULT_WHY_SIZE])
{
    struct making making = {emulator, endpoint, manner, faults, done, data};
    int64_t now_us;

    name_all(&making, trial);
    now_us = emulator_take_time(emulator, trial->count);
    for (size_t i = 0; i < trial->count; i++) {
        /* Each is a millisecond younger than the one before, in whatever order they go. */
        size_t at = faults->reorder ? trial->count - 1 - i : i;
        struct payload_ids ids = {trial->event_ids[at], endpoint->id};
        struct payload payload;
        bool sent;

        if (!payload_test(&payload, endpoint->scheme, &ids, now_us + (int64_t)at * 1000)) {
            snprintf(why, FAULT_WHY_SIZE, "out of memory");
            return i > 0;
        }
        sent = send_one(&making, &payload, ids.event, trial->delivery_ids[at], why);
        payload_free(&payload);
        if (!sent)
            return i > 0;
        making.done = NULL;
    }
    return true;
}

static bool record(struct ledger *ledger, const struct ledger_endpoint *endpoint,
                   const struct payload *payload, const struct trial *trial, const char *status,
                   int64_t now_us)
{
    const struct ledger_event event = {
        .provider = endpoint->provider,
        .id = (char *)trial->event_ids[0],
        .type = (char *)payload->type,
        .body = payload->body,
        .created_us = now_us,
    };
    const struct ledger_delivery delivery = {
        .provider = endpoint->provider,
        .id = (char *)trial->delivery_ids[0],
        .event_id = event.id,
        .endpoint_id = endpoint->id,
        .event_type = event.type,
        .status = (char *)status,
        .created_us = now_us,
        .updated_us = now_us,
    };

    return ledger_add_event(ledger, &event) && ledger_add_delivery(ledger, &delivery);
}

bool trial_skip(struct emulator *emulator, const struct ledger_endpoint *endpoint,
                const struct trial_manner *manner, const char *status, struct trial *trial,
                char why[FAULT_WHY_SIZE])
{
    const struct faults none = {0};
    const struct making making = {emulator, endpoint, manner, &none, NULL, NULL};
    int64_t now_us = emulator_take_time(emulator, 1);
    struct payload_ids ids = {trial->event_ids[0], endpoint->id};
    struct payload payload;
    bool good;

    name_all(&making, trial);
    if (!payload_test(&payload, endpoint->scheme, &ids, now_us)) {
        snprintf(why, FAULT_WHY_SIZE, "out of memory");
        return false;
    }
    good = record(emulator->ledger, endpoint, &payload, trial, status, now_us);
    payload_free(&payload);
    if (!good)
        snprintf(why, FAULT_WHY_SIZE, "%.*s", FAULT_WHY_SIZE - 1, ledger_why(emulator->ledger));
    return good;
}
