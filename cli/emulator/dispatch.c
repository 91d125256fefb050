/* SPDX-License-Identifier: MIT */
#include "cli/emulator/dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/http/loop_call.h"
#include "cli/emulator/dispatcher.h"
#include "cli/emulator/journey.h"
#include "cli/emulator/ledger.h"

/* Of struct dispatch_request's status_names. */
enum {
    STATUS_PENDING,
    STATUS_DELIVERING,
    STATUS_SUCCEEDED,
    STATUS_RETRYING,
    STATUS_FAILED,
};

struct dispatcher {
    struct dispatcher_options options;
    struct loop_calls *loop_calls;
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

void dispatcher_start(struct dispatcher *dispatcher, struct loop_calls *loop_calls)
{
    dispatcher->loop_calls = loop_calls;
}

void dispatcher_stop(struct dispatcher *dispatcher)
{
    dispatcher->stopping = true;
}

/* ---- the record */

static bool dispatch_fail(char *why, const char *what)
{
    snprintf(why, FAULTS_WHY_SIZE, "%s", what);
    return false;
}

static bool dispatch_record(struct dispatcher *dispatcher, const struct emulated_delivery *j,
                            const struct dispatch_request *request, char *why)
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
        .status = j->status_names[STATUS_PENDING],
        .created_us = now_us,
        .updated_us = now_us,
    };
    bool good = true;

    if (j->delivery_id == NULL)
        return true;
    if (!ledger_begin(ledger))
        return dispatch_fail(why, ledger_why(ledger));
    if ((known = ledger_event(ledger, j->provider, j->event_id)) == NULL) {
        event.body = strndup(request->body, request->len);
        good = event.body != NULL && ledger_add_event(ledger, &event);
        free(event.body);
    }
    ledger_event_free(&known);
    good = good && ledger_add_delivery(ledger, &delivery);
    return ledger_end(ledger, good) || dispatch_fail(why, ledger_why(ledger));
}

/* What the endpoint's owner sees of an attempt; nobody waits for it, so failing is no matter. */
static void dispatch_record_attempt(struct ledger *ledger, const struct emulated_delivery *j,
                                    int status_name)
{
    struct ledger_delivery *delivery =
        j->delivery_id == NULL ? NULL : ledger_delivery(ledger, j->provider, j->delivery_id);
    struct ledger_delivery changed;

    if (delivery == NULL)
        return;
    changed = *delivery;
    changed.status = j->status_names[status_name];
    if (j->job.sent) {
        changed.attempts = (int)j->attempts;
        changed.response_status = j->job.status;
        changed.response_body = j->job.excerpt;
    }
    changed.error = j->job.error;
    changed.updated_us = clock_wall_us();
    ledger_change_delivery(ledger, &changed);
    ledger_delivery_free(&delivery);
}

/* ---- the way */

static void dispatch_log_attempt(const struct emulated_delivery *j, bool duplicate)
{
    const struct dispatcher_options *options = &j->dispatcher->options;
    const struct dispatch_log_entry line = {
        .at_us = clock_wall_us(),
        .provider = j->provider,
        .endpoint = j->endpoint_id,
        .delivery = j->delivery_id,
        .event = j->event_id,
        .attempt = j->attempts,
        .duplicate = duplicate,
        .status = j->job.status,
        .error = j->job.error,
        .faults = &j->job.faults,
    };

    if (options->note != NULL)
        options->note(options->data, &line);
}

static void dispatch_report_attempt(struct emulated_delivery *j, bool succeeded, bool will_retry)
{
    const char *body = j->job.excerpt == NULL ? "" : j->job.excerpt;
    const struct dispatch_attempt attempt = {
        .delivery_id = j->delivery_id == NULL ? "" : j->delivery_id,
        .status = j->job.status,
        .error = j->job.error,
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

static void dispatch_on_finished(void *data, bool good);

static bool dispatch_submit(struct emulated_delivery *j, int64_t due_us)
{
    free(j->job.error);
    free(j->job.excerpt);
    j->job.error = j->job.excerpt = NULL;
    j->job.due_us = due_us;
    j->loop_call = loop_call_begin(j->dispatcher->loop_calls, dispatch_on_finished, j);
    if (j->loop_call != NULL)
        courier_send(j->dispatcher->options.courier, &j->job);
    return j->loop_call != NULL;
}

/* What was rotated or changed meanwhile counts. False if nothing may be sent there any more. */
static bool dispatch_refresh(struct emulated_delivery *j)
{
    struct ledger_endpoint *endpoint =
        ledger_endpoint(j->dispatcher->options.ledger, j->provider, j->endpoint_id);
    bool good = endpoint != NULL && endpoint->enabled;

    if (good)
        emulated_delivery_refresh(j, endpoint);
    ledger_endpoint_free(&endpoint);
    return good;
}

/* The very same request; or, when its time has come, another one of the same event. */
static bool dispatch_schedule_next(struct emulated_delivery *j, bool retry)
{
    if (j->dispatcher->stopping)
        return false;
    if (j->copies_left > 0) {
        j->copies_left--;
        return dispatch_submit(j, 0);
    }
    if (!retry)
        return false;
    shipment_free(&j->job.shipment);
    j->job.only_waits = true;
    return dispatch_submit(j, clock_mono_us() + (int64_t)j->retry_s[j->attempts - 1] * 1000000);
}

_Static_assert((int)SHIPMENT_WHY_SIZE == (int)FAULTS_WHY_SIZE, "one is written into the other");

/* An attempt is over: recorded first, so that whoever is told finds it there. */
static void dispatch_end_attempt(struct emulated_delivery *j)
{
    bool succeeded = j->job.status >= 200 && j->job.status < 300;
    bool gave_up = !j->job.sent;
    bool retry = !succeeded && !gave_up && !j->dispatcher->stopping &&
                 j->attempts < EMULATED_RETRIES_MAX && j->retry_s[j->attempts] != 0;

    if (!gave_up)
        j->attempts++;
    dispatch_record_attempt(j->dispatcher->options.ledger, j,
                            succeeded ? STATUS_SUCCEEDED
                            : retry   ? STATUS_RETRYING
                                      : STATUS_FAILED);
    if (!gave_up)
        dispatch_log_attempt(j, false);
    j->will_retry = retry;
    dispatch_report_attempt(j, succeeded, retry);
}

/* Whether it has waited for its next attempt, which is on its way now. */
static bool dispatch_start_retry(struct emulated_delivery *j)
{
    if (!j->job.only_waits)
        return false;
    j->job.only_waits = false;
    if (j->dispatcher->stopping)
        return false;
    if (dispatch_refresh(j))
        return dispatch_submit(j, 0);
    free(j->job.error);
    j->job.error = strdup("given up: the endpoint is disabled or gone");
    return false;
}

static void dispatch_on_finished(void *data, bool good)
{
    struct emulated_delivery *j = data;

    (void)good;
    if (dispatch_start_retry(j))
        return;
    if (!j->repeating) {
        dispatch_end_attempt(j);
    } else if (j->job.sent) {
        dispatch_log_attempt(j, true);
    }
    j->repeating = j->copies_left > 0;
    if (dispatch_schedule_next(j, j->will_retry))
        return;
    if (j->will_retry)
        dispatch_record_attempt(j->dispatcher->options.ledger, j, STATUS_FAILED);
    emulated_delivery_free(&j);
}

/* On the courier's thread. */
static void dispatch_on_job_returned(struct courier_job *job)
{
    struct emulated_delivery *j = job->data;

    loop_call_done(j->loop_call, true);
}

bool dispatcher_send(struct dispatcher *dispatcher, const struct dispatch_request *request,
                     char *why)
{
    struct emulated_delivery *j = dispatcher->stopping ? NULL : emulated_delivery_new(request);
    bool good;

    if (j == NULL)
        return dispatch_fail(why,
                             dispatcher->stopping ? "the emulator is stopping" : "out of memory");
    j->dispatcher = dispatcher;
    j->job.back = dispatch_on_job_returned;
    j->job.spec.now = clock_wall_us() / 1000000;
    j->job.shipment = shipment_build(&j->job.spec, &j->job.faults, why);
    good = j->job.shipment != NULL && dispatch_record(dispatcher, j, request, why);
    if (good && !dispatch_submit(j, 0))
        good = dispatch_fail(why, "out of memory");
    if (!good)
        emulated_delivery_free(&j);
    return good;
}
