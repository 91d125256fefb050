/* SPDX-License-Identifier: MIT */
#include "cli/emulator/trial.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/payload.h"
#include "cli/emulator/api.h"
#include "cli/emulator/emulator.h"
#include "cli/emulator/ledger.h"

struct dispatch_test {
    struct emulator *emulator;
    const struct ledger_endpoint *endpoint;
    const struct dispatch_traits *traits;
    const struct faults *faults;
    void (*done)(void *data, const struct dispatch_attempt *attempt);
    void *data;
};

bool dispatch_test_faults(const struct api_call *call, const struct ledger_endpoint *endpoint,
                          struct faults *faults, char why[FAULTS_WHY_SIZE])
{
    const char *words = api_header(call, "hookline-fault");

    *faults = (struct faults){0};
    return faults_read(faults, words != NULL ? words : endpoint->faults, why);
}

static bool dispatch_test_send_one(const struct dispatch_test *m, const struct payload *payload,
                                   const char *event_id, const char *delivery_id,
                                   char why[FAULTS_WHY_SIZE])
{
    const char *extra[3] = {NULL};
    struct dispatch_request request = {
        .provider = m->endpoint->provider,
        .endpoint = m->endpoint,
        .event_id = event_id,
        .event_type = payload->type,
        .body = payload->body,
        .len = payload->len,
        .extra = extra,
        .delivery_id = delivery_id[0] != '\0' ? delivery_id : NULL,
        .retry_s = m->traits->retries ? m->emulator->retry_s : NULL,
        .timeout_s = m->traits->timeout_s,
        .faults = *m->faults,
        .done = m->done,
        .data = m->data,
    };
    size_t count = 0;

    for (size_t i = 0; i < 2; i++)
        if (payload->headers[i][0] != '\0')
            extra[count++] = payload->headers[i];
    for (size_t i = 0; i < 5; i++)
        request.status_names[i] = m->traits->status_names[i];
    return dispatcher_send(m->emulator->dispatcher, &request, why);
}

/* The ids, so that they are known before anything is sent. */
static void dispatch_test_make_ids(const struct dispatch_test *m, struct dispatch_batch *batch)
{
    const char *prefix = payload_id_prefix(m->endpoint->scheme);

    batch->count = m->faults->burst > DISPATCH_BATCH_MAX ? DISPATCH_BATCH_MAX : m->faults->burst;
    if (batch->count == 0)
        batch->count = 1;
    for (size_t i = 0; i < batch->count; i++) {
        ids_make_hex(batch->event_ids[i], prefix);
        batch->delivery_ids[i][0] = '\0';
        if (m->traits->delivery_prefix != NULL)
            ids_make_hex(batch->delivery_ids[i], m->traits->delivery_prefix);
    }
}

bool dispatch_test_send(struct emulator *emulator, const struct ledger_endpoint *endpoint,
                        const struct dispatch_traits *traits, const struct faults *faults,
                        void (*done)(void *data, const struct dispatch_attempt *attempt),
                        void *data, struct dispatch_batch *batch, char why[FAULTS_WHY_SIZE])
{
    struct dispatch_test test = {emulator, endpoint, traits, faults, done, data};
    int64_t now_us;

    dispatch_test_make_ids(&test, batch);
    now_us = dispatch_take_time(emulator, batch->count);
    for (size_t i = 0; i < batch->count; i++) {
        /* Each is a millisecond younger than the one before, in whatever order they go. */
        size_t at = faults->reorder ? batch->count - 1 - i : i;
        struct payload_ids ids = {batch->event_ids[at], endpoint->id};
        struct payload payload;
        bool sent;

        if (!payload_test(&payload, endpoint->scheme, &ids, now_us + (int64_t)at * 1000)) {
            snprintf(why, FAULTS_WHY_SIZE, "out of memory");
            return i > 0;
        }
        sent = dispatch_test_send_one(&test, &payload, ids.event, batch->delivery_ids[at], why);
        payload_free(&payload);
        if (!sent)
            return i > 0;
        test.done = NULL;
    }
    return true;
}

static bool dispatch_test_record(struct ledger *ledger, const struct ledger_endpoint *endpoint,
                                 const struct payload *payload, const struct dispatch_batch *batch,
                                 const char *status, int64_t now_us)
{
    const struct ledger_event event = {
        .provider = endpoint->provider,
        .id = (char *)batch->event_ids[0],
        .type = (char *)payload->type,
        .body = payload->body,
        .created_us = now_us,
    };
    const struct ledger_delivery delivery = {
        .provider = endpoint->provider,
        .id = (char *)batch->delivery_ids[0],
        .event_id = event.id,
        .endpoint_id = endpoint->id,
        .event_type = event.type,
        .status = (char *)status,
        .created_us = now_us,
        .updated_us = now_us,
    };

    return ledger_add_event(ledger, &event) && ledger_add_delivery(ledger, &delivery);
}

bool dispatch_test_skip(struct emulator *emulator, const struct ledger_endpoint *endpoint,
                        const struct dispatch_traits *traits, const char *status,
                        struct dispatch_batch *batch, char why[FAULTS_WHY_SIZE])
{
    const struct faults none = {0};
    const struct dispatch_test test = {emulator, endpoint, traits, &none, NULL, NULL};
    int64_t now_us = dispatch_take_time(emulator, 1);
    struct payload_ids ids = {batch->event_ids[0], endpoint->id};
    struct payload payload;
    bool good;

    dispatch_test_make_ids(&test, batch);
    if (!payload_test(&payload, endpoint->scheme, &ids, now_us)) {
        snprintf(why, FAULTS_WHY_SIZE, "out of memory");
        return false;
    }
    good = dispatch_test_record(emulator->ledger, endpoint, &payload, batch, status, now_us);
    payload_free(&payload);
    if (!good)
        snprintf(why, FAULTS_WHY_SIZE, "%.*s", FAULTS_WHY_SIZE - 1, ledger_why(emulator->ledger));
    return good;
}
