/* SPDX-License-Identifier: MIT */
#include "cli/emulator/dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/http/errand.h"
#include "cli/emulator/dispatcher.h"
#include "cli/emulator/journey.h"
#include "cli/emulator/ledger.h"

/* Of struct dispatch_order's status_names. */
enum {
    PENDING,
    DELIVERING,
    SUCCEEDED,
    RETRYING,
    FAILED,
};

struct dispatcher {
    struct dispatcher_options options;
    struct errands *errands;
    bool stopping;
};

struct dispatcher *dispatcher_open(const struct dispatcher_options *options)
{
    struct dispatcher *dispatcher = calloc(1, sizeof(*dispatcher));

    if (dispatcher != NULL)
        dispatcher->options = *options;
    return dispatcher;
}

void dispatcher_close(struct dispatcher **dispatcher)
{
    free(*dispatcher);
    *dispatcher = NULL;
}

void dispatcher_start(struct dispatcher *dispatcher, struct errands *errands)
{
    dispatcher->errands = errands;
}

void dispatcher_stop(struct dispatcher *dispatcher)
{
    dispatcher->stopping = true;
}

/* ---- the record */

static bool complain(char *why, const char *what)
{
    snprintf(why, FAULT_WHY_SIZE, "%s", what);
    return false;
}

static bool record(struct dispatcher *dispatcher, const struct journey *j,
                   const struct dispatch_order *order, char *why)
{
    struct ledger *ledger = dispatcher->options.ledger;
    int64_t now_us = clock_wall_us();
    struct ledger_event *known, event = {j->provider, j->event_id, j->event_type, NULL, now_us};
    struct ledger_delivery delivery = {
        .provider = j->provider,
        .id = j->delivery_id,
        .event_id = j->event_id,
        .endpoint_id = j->endpoint_id,
        .event_type = j->event_type,
        .status = j->status_names[PENDING],
        .created_us = now_us,
        .updated_us = now_us,
    };
    bool good = true;

    if (j->delivery_id == NULL)
        return true;
    if (!ledger_begin(ledger))
        return complain(why, ledger_why(ledger));
    if ((known = ledger_event(ledger, j->provider, j->event_id)) == NULL) {
        event.body = strndup(order->body, order->len);
        good = event.body != NULL && ledger_add_event(ledger, &event);
        free(event.body);
    }
    ledger_event_free(&known);
    good = good && ledger_add_delivery(ledger, &delivery);
    return ledger_end(ledger, good) || complain(why, ledger_why(ledger));
}

/* What the endpoint's owner sees of an attempt; nobody waits for it, so failing is no matter. */
static void record_attempt(struct ledger *ledger, const struct journey *j, int status_name)
{
    struct ledger_delivery *delivery =
        j->delivery_id == NULL ? NULL : ledger_delivery(ledger, j->provider, j->delivery_id);
    struct ledger_delivery changed;

    if (delivery == NULL)
        return;
    changed = *delivery;
    changed.status = j->status_names[status_name];
    if (j->letter.sent) {
        changed.attempts = (int)j->attempts;
        changed.response_status = j->letter.status;
        changed.response_body = j->letter.excerpt;
    }
    changed.error = j->letter.error;
    changed.updated_us = clock_wall_us();
    ledger_change_delivery(ledger, &changed);
    ledger_delivery_free(&delivery);
}

/* ---- the way */

static void note(const struct journey *j, bool duplicate)
{
    const struct dispatcher_options *options = &j->dispatcher->options;
    const struct dispatch_note line = {
        .at_us = clock_wall_us(),
        .provider = j->provider,
        .endpoint = j->endpoint_id,
        .delivery = j->delivery_id,
        .event = j->event_id,
        .attempt = j->attempts,
        .duplicate = duplicate,
        .status = j->letter.status,
        .error = j->letter.error,
        .faults = &j->letter.faults,
    };

    if (options->note != NULL)
        options->note(options->data, &line);
}

static void report(struct journey *j, bool succeeded, bool will_retry)
{
    const char *body = j->letter.excerpt == NULL ? "" : j->letter.excerpt;
    const struct dispatch_attempt attempt = {
        .delivery_id = j->delivery_id == NULL ? "" : j->delivery_id,
        .status = j->letter.status,
        .error = j->letter.error,
        .body = body,
        .len = strlen(body),
        .succeeded = succeeded,
        .will_retry = will_retry,
    };
    void (*done)(void *data, const struct dispatch_attempt *attempt) = j->done;

    j->done = NULL;
    if (done != NULL)
        done(j->data, &attempt);
}

static void on_finished(void *data, bool good);

static bool set_out(struct journey *j, int64_t due_us)
{
    free(j->letter.error);
    free(j->letter.excerpt);
    j->letter.error = j->letter.excerpt = NULL;
    j->letter.due_us = due_us;
    j->errand = errand_begin(j->dispatcher->errands, on_finished, j);
    if (j->errand != NULL)
        courier_send(j->dispatcher->options.courier, &j->letter);
    return j->errand != NULL;
}

/* What was rotated or changed meanwhile counts. False if nothing may be sent there any more. */
static bool renew(struct journey *j)
{
    struct ledger_endpoint *endpoint =
        ledger_endpoint(j->dispatcher->options.ledger, j->provider, j->endpoint_id);
    bool good = endpoint != NULL && endpoint->enabled;

    if (good)
        journey_renew(j, endpoint);
    ledger_endpoint_free(&endpoint);
    return good;
}

/* The very same request; or, when its time has come, another one of the same event. */
static bool send_again(struct journey *j, bool retry)
{
    if (j->dispatcher->stopping)
        return false;
    if (j->copies_left > 0) {
        j->copies_left--;
        return set_out(j, 0);
    }
    if (!retry)
        return false;
    shipment_free(&j->letter.shipment);
    j->letter.only_waits = true;
    return set_out(j, clock_mono_us() + (int64_t)j->retry_s[j->attempts - 1] * 1000000);
}

_Static_assert((int)SHIPMENT_WHY_SIZE == (int)FAULT_WHY_SIZE, "one is written into the other");

/* An attempt is over: recorded first, so that whoever is told finds it there. */
static void conclude(struct journey *j)
{
    bool succeeded = j->letter.status >= 200 && j->letter.status < 300;
    bool gave_up = !j->letter.sent;
    bool retry = !succeeded && !gave_up && !j->dispatcher->stopping &&
                 j->attempts < JOURNEY_RETRIES_MAX && j->retry_s[j->attempts] != 0;

    if (!gave_up)
        j->attempts++;
    record_attempt(j->dispatcher->options.ledger, j,
                   succeeded ? SUCCEEDED
                   : retry   ? RETRYING
                             : FAILED);
    if (!gave_up)
        note(j, false);
    j->will_retry = retry;
    report(j, succeeded, retry);
}

/* Whether it has waited for its next attempt, which is on its way now. */
static bool wake_up(struct journey *j)
{
    if (!j->letter.only_waits)
        return false;
    j->letter.only_waits = false;
    if (j->dispatcher->stopping)
        return false;
    if (renew(j))
        return set_out(j, 0);
    free(j->letter.error);
    j->letter.error = strdup("given up: the endpoint is disabled or gone");
    return false;
}

static void on_finished(void *data, bool good)
{
    struct journey *j = data;

    (void)good;
    if (wake_up(j))
        return;
    if (!j->repeating) {
        conclude(j);
    } else if (j->letter.sent) {
        note(j, true);
    }
    j->repeating = j->copies_left > 0;
    if (send_again(j, j->will_retry))
        return;
    if (j->will_retry)
        record_attempt(j->dispatcher->options.ledger, j, FAILED);
    journey_free(&j);
}

/* On the courier's thread. */
static void on_back(struct letter *letter)
{
    struct journey *j = letter->data;

    errand_done(j->errand, true);
}

bool dispatch(struct dispatcher *dispatcher, const struct dispatch_order *order, char *why)
{
    struct journey *j = dispatcher->stopping ? NULL : journey_new(order);
    bool good;

    if (j == NULL)
        return complain(why, dispatcher->stopping ? "the emulator is stopping" : "out of memory");
    j->dispatcher = dispatcher;
    j->letter.back = on_back;
    j->letter.parcel.now = clock_wall_us() / 1000000;
    j->letter.shipment = shipment_pack(&j->letter.parcel, &j->letter.faults, why);
    good = j->letter.shipment != NULL && record(dispatcher, j, order, why);
    if (good && !set_out(j, 0))
        good = complain(why, "out of memory");
    if (!good)
        journey_free(&j);
    return good;
}
