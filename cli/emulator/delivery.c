/* SPDX-License-Identifier: MIT */
#include "cli/emulator/delivery.h"

#include <hookline.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/emulator/api.h"
#include "cli/emulator/courier.h"
#include "cli/emulator/emulator.h"
#include "cli/emulator/ledger.h"
#include "cli/payload.h"
#include "daemon/base/clock.h"
#include "daemon/http/loop_call.h"

/* ---- delivery: copies everything it needs, since endpoints and requests change meanwhile */

enum {
    EMULATED_EXTRA_MAX = 8,
};

struct emulated_delivery {
    struct courier_job job;
    struct dispatcher *dispatcher;
    struct mailbox_message call; /* returns it to the loop */
    char *provider, *endpoint_id, *event_id, *event_type;
    char *shown_provider; /* by ledger_endpoint_provider() */
    char *delivery_id;    /* NULL: not recorded */
    char *status_names[5];
    unsigned retry_s[DISPATCH_RETRIES_MAX + 1];
    unsigned attempts, copies_left;
    bool will_retry; /* the last attempt failed, a retry follows */
    bool repeating;  /* sending a copy of the same request */
    void (*done)(void *data, const struct dispatch_attempt *attempt); /* NULL once called */
    void *data;
    /* Referenced by `job`. */
    char *url, *signed_url, *description, *body, *secrets[2], *extra[EMULATED_EXTRA_MAX + 1];
};

/* Returns NULL for NULL. */
static char *emulated_copy_text(const char *text, bool *good)
{
    char *out = text == NULL ? NULL : strdup(text);

    if (text != NULL && out == NULL)
        *good = false;
    return out;
}

static void emulated_copy_names(struct emulated_delivery *d, const struct dispatch_request *request,
                                bool *good)
{
    d->provider = emulated_copy_text(request->provider, good);
    d->shown_provider = emulated_copy_text(ledger_endpoint_provider(request->endpoint), good);
    d->endpoint_id = emulated_copy_text(request->endpoint->id, good);
    d->event_id = emulated_copy_text(request->event_id == NULL ? "" : request->event_id, good);
    d->event_type = emulated_copy_text(request->event_type, good);
    d->delivery_id = emulated_copy_text(request->delivery_id, good);
    for (int i = 0; i < 5; i++)
        d->status_names[i] = emulated_copy_text(request->status_names[i], good);
    for (int i = 0; request->retry_s != NULL && request->retry_s[i] != 0; i++)
        if (i < DISPATCH_RETRIES_MAX)
            d->retry_s[i] = request->retry_s[i];
}

static void emulated_copy_target(struct emulated_delivery *d,
                                 const struct ledger_endpoint *endpoint, bool *good)
{
    const hookline_scheme *scheme =
        endpoint->scheme == NULL ? NULL : hookline_scheme_find(endpoint->scheme);

    d->url = emulated_copy_text(endpoint->url, good);
    d->signed_url = emulated_copy_text(endpoint->signed_url, good);
    d->description =
        emulated_copy_text(scheme == NULL ? endpoint->description : scheme->description, good);
    if (d->description == NULL)
        d->description = emulated_copy_text("", good);
    d->secrets[0] = emulated_copy_text(endpoint->secret, good);
    if (endpoint->previous_secret != NULL && endpoint->previous_secret[0] != '\0')
        d->secrets[1] = emulated_copy_text(endpoint->previous_secret, good);
}

static void emulated_copy_content(struct emulated_delivery *d,
                                  const struct dispatch_request *request, bool *good)
{
    d->body = malloc(request->len + 1);
    if (d->body == NULL)
        *good = false;
    else if (request->len > 0)
        memcpy(d->body, request->body, request->len);
    for (size_t i = 0; request->extra != NULL && request->extra[i] != NULL; i++) {
        if (i < EMULATED_EXTRA_MAX)
            d->extra[i] = emulated_copy_text(request->extra[i], good);
        else
            *good = false;
    }
}

static void emulated_address_job(struct emulated_delivery *d)
{
    d->job.url = d->url;
    d->job.spec.url = d->signed_url == NULL ? d->url : d->signed_url;
    d->job.spec.secrets_count = d->secrets[1] == NULL ? 1 : 2;
}

static void emulated_fill_job(struct emulated_delivery *d, const struct dispatch_request *request)
{
    d->job = (struct courier_job){
        .spec =
            {
                .description = d->description,
                .secrets = (const char *const *)d->secrets,
                .body = {d->body, request->len},
                .id = {d->event_id, strlen(d->event_id)},
                .extra = (const char *const *)d->extra,
            },
        .faults = request->faults,
        .timeout_s = request->timeout_s,
        .in_line = request->faults.reorder,
        .data = d,
    };
    emulated_address_job(d);
}

static void emulated_free_target(struct emulated_delivery *d)
{
    free(d->url);
    free(d->signed_url);
    free(d->description);
    ledger_wipe_secret(d->secrets[0]);
    ledger_wipe_secret(d->secrets[1]);
}

static void emulated_delivery_free(struct emulated_delivery **delivery)
{
    struct emulated_delivery *d = *delivery;

    if (d == NULL)
        return;
    shipment_free(&d->job.shipment);
    free(d->job.error);
    free(d->job.excerpt);
    free(d->provider);
    free(d->shown_provider);
    free(d->endpoint_id);
    free(d->event_id);
    free(d->event_type);
    free(d->delivery_id);
    for (int i = 0; i < 5; i++)
        free(d->status_names[i]);
    emulated_free_target(d);
    free(d->body);
    for (int i = 0; i < EMULATED_EXTRA_MAX; i++)
        free(d->extra[i]);
    free(d);
    *delivery = NULL;
}

/* Returns NULL on ENOMEM, or if there are more than EMULATED_EXTRA_MAX headers. */
static struct emulated_delivery *emulated_delivery_new(const struct dispatch_request *request)
{
    struct emulated_delivery *d = calloc(1, sizeof(*d));
    bool good = d != NULL;

    if (!good)
        return NULL;
    emulated_copy_names(d, request, &good);
    emulated_copy_target(d, request->endpoint, &good);
    emulated_copy_content(d, request, &good);
    d->done = request->done;
    d->data = request->data;
    if (request->faults.copies > 1)
        d->copies_left = request->faults.copies - 1;
    if (good)
        emulated_fill_job(d, request);
    else
        emulated_delivery_free(&d);
    return d;
}

/* Takes over the endpoint's current URL and secrets before a retry. On ENOMEM keeps the old
 * ones. */
static void emulated_delivery_refresh(struct emulated_delivery *delivery,
                                      const struct ledger_endpoint *endpoint)
{
    struct emulated_delivery fresh = {.url = NULL};
    bool good = true;

    emulated_copy_target(&fresh, endpoint, &good);
    if (!good) {
        emulated_free_target(&fresh);
        return;
    }
    emulated_free_target(delivery);
    delivery->url = fresh.url;
    delivery->signed_url = fresh.signed_url;
    delivery->description = fresh.description;
    delivery->secrets[0] = fresh.secrets[0];
    delivery->secrets[1] = fresh.secrets[1];
    delivery->job.spec.description = delivery->description;
    emulated_address_job(delivery);
}

/* ---- dispatcher */

/* Indexes of status_names. */
enum {
    STATUS_PENDING,
    STATUS_DELIVERING,
    STATUS_SUCCEEDED,
    STATUS_RETRYING,
    STATUS_FAILED,
};

enum {
    CLOCK_AHEAD_MS = 60000 /* further ahead, the clock was set back */
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

int64_t dispatch_take_time(struct emulator *emulator, size_t count)
{
    int64_t now_ms = clock_wall_us() / 1000, newest_ms = emulator->newest_ms;

    if (now_ms <= newest_ms && newest_ms < now_ms + CLOCK_AHEAD_MS)
        now_ms = newest_ms + 1;
    emulator->newest_ms = now_ms + (int64_t)count - 1;
    return now_ms * 1000;
}

/* ---- records */

static bool dispatch_fail(char *why, const char *what)
{
    snprintf(why, FAULTS_WHY_SIZE, "%s", what);
    return false;
}

static bool dispatch_record(struct dispatcher *dispatcher, const struct emulated_delivery *d,
                            const struct dispatch_request *request, char *why)
{
    struct ledger *ledger = dispatcher->options.ledger;
    int64_t now_us = clock_wall_us();
    struct ledger_event *known, event = {d->provider, d->event_id, d->event_type, NULL, now_us};
    struct ledger_delivery delivery = {
        .provider = d->provider,
        .id = d->delivery_id,
        .event_id = d->event_id,
        .endpoint_id = d->endpoint_id,
        .event_type = d->event_type,
        .status = d->status_names[STATUS_PENDING],
        .created_us = now_us,
        .updated_us = now_us,
    };
    bool good = true;

    if (d->delivery_id == NULL)
        return true;
    if (!ledger_begin(ledger))
        return dispatch_fail(why, ledger_why(ledger));
    if ((known = ledger_event(ledger, d->provider, d->event_id)) == NULL) {
        event.body = strndup(request->body, request->len);
        good = event.body != NULL && ledger_add_event(ledger, &event);
        free(event.body);
    }
    ledger_event_free(&known);
    good = good && ledger_add_delivery(ledger, &delivery);
    return ledger_end(ledger, good) || dispatch_fail(why, ledger_why(ledger));
}

/* Updates the recorded delivery. A failure is ignored: the delivery itself goes on. */
static void dispatch_record_attempt(struct ledger *ledger, const struct emulated_delivery *d,
                                    int status_name)
{
    struct ledger_delivery *delivery =
        d->delivery_id == NULL ? NULL : ledger_delivery(ledger, d->provider, d->delivery_id);
    struct ledger_delivery changed;

    if (delivery == NULL)
        return;
    changed = *delivery;
    changed.status = d->status_names[status_name];
    if (d->job.sent) {
        changed.attempts = (int)d->attempts;
        changed.response_status = d->job.status;
        changed.response_body = d->job.excerpt;
    }
    changed.error = d->job.error;
    changed.updated_us = clock_wall_us();
    ledger_change_delivery(ledger, &changed);
    ledger_delivery_free(&delivery);
}

/* ---- attempts */

static void dispatch_log_attempt(const struct emulated_delivery *d, bool duplicate)
{
    const struct dispatcher_options *options = &d->dispatcher->options;
    const struct dispatch_log_entry line = {
        .at_us = clock_wall_us(),
        .provider = d->shown_provider,
        .endpoint = d->endpoint_id,
        .delivery = d->delivery_id,
        .event = d->event_id,
        .attempt = d->attempts,
        .duplicate = duplicate,
        .status = d->job.status,
        .error = d->job.error,
        .faults = &d->job.faults,
    };

    if (options->note != NULL)
        options->note(options->data, &line);
}

static void dispatch_report_attempt(struct emulated_delivery *d, bool succeeded, bool will_retry)
{
    const char *body = d->job.excerpt == NULL ? "" : d->job.excerpt;
    const struct dispatch_attempt attempt = {
        .delivery_id = d->delivery_id == NULL ? "" : d->delivery_id,
        .status = d->job.status,
        .error = d->job.error,
        .body = body,
        .len = strlen(body),
        .succeeded = succeeded,
        .will_retry = will_retry,
    };
    void (*done)(void *data, const struct dispatch_attempt *attempt) = d->done;

    d->done = NULL;
    if (done != NULL)
        done(d->data, &attempt);
}

static void dispatch_take_call(struct mailbox_message *call);

static void dispatch_submit(struct emulated_delivery *d, int64_t due_us)
{
    free(d->job.error);
    free(d->job.excerpt);
    d->job.error = d->job.excerpt = NULL;
    d->job.due_us = due_us;
    d->call.take = dispatch_take_call;
    loop_call_begin(d->dispatcher->loop_calls);
    courier_send(d->dispatcher->options.courier, &d->job);
}

/* Reloads the endpoint, which may have changed since. Returns false if it is disabled or gone. */
static bool dispatch_refresh(struct emulated_delivery *d)
{
    struct ledger_endpoint *endpoint =
        ledger_endpoint(d->dispatcher->options.ledger, d->provider, d->endpoint_id);
    bool good = endpoint != NULL && endpoint->enabled;

    if (good)
        emulated_delivery_refresh(d, endpoint);
    ledger_endpoint_free(&endpoint);
    return good;
}

/* Sends a copy of the same request, or schedules the retry. */
static bool dispatch_schedule_next(struct emulated_delivery *d, bool retry)
{
    if (d->dispatcher->stopping)
        return false;
    if (d->copies_left > 0) {
        d->copies_left--;
        dispatch_submit(d, 0);
        return true;
    }
    if (!retry)
        return false;
    shipment_free(&d->job.shipment);
    d->job.only_waits = true;
    dispatch_submit(d, clock_mono_us() + (int64_t)d->retry_s[d->attempts - 1] * 1000000);
    return true;
}

_Static_assert((int)SHIPMENT_WHY_SIZE == (int)FAULTS_WHY_SIZE, "one is written into the other");

/* Records the attempt before reporting it, so that a client that asks next finds it. */
static void dispatch_end_attempt(struct emulated_delivery *d)
{
    bool succeeded = d->job.status >= 200 && d->job.status < 300;
    bool gave_up = !d->job.sent;
    bool retry = !succeeded && !gave_up && !d->dispatcher->stopping &&
                 d->attempts < DISPATCH_RETRIES_MAX && d->retry_s[d->attempts] != 0;

    if (!gave_up)
        d->attempts++;
    dispatch_record_attempt(d->dispatcher->options.ledger, d,
                            succeeded ? STATUS_SUCCEEDED
                            : retry   ? STATUS_RETRYING
                                      : STATUS_FAILED);
    if (!gave_up)
        dispatch_log_attempt(d, false);
    d->will_retry = retry;
    dispatch_report_attempt(d, succeeded, retry);
}

/* Returns true if the retry was due and is on its way. */
static bool dispatch_start_retry(struct emulated_delivery *d)
{
    if (!d->job.only_waits)
        return false;
    d->job.only_waits = false;
    if (d->dispatcher->stopping)
        return false;
    if (dispatch_refresh(d)) {
        dispatch_submit(d, 0);
        return true;
    }
    free(d->job.error);
    d->job.error = strdup("given up: the endpoint is disabled or gone");
    return false;
}

static void dispatch_take_call(struct mailbox_message *call)
{
    struct emulated_delivery *d =
        (struct emulated_delivery *)((char *)call - offsetof(struct emulated_delivery, call));

    if (dispatch_start_retry(d))
        return;
    if (!d->repeating) {
        dispatch_end_attempt(d);
    } else if (d->job.sent) {
        dispatch_log_attempt(d, true);
    }
    d->repeating = d->copies_left > 0;
    if (dispatch_schedule_next(d, d->will_retry))
        return;
    if (d->will_retry)
        dispatch_record_attempt(d->dispatcher->options.ledger, d, STATUS_FAILED);
    emulated_delivery_free(&d);
}

/* Runs on the courier thread. */
static void dispatch_on_job_returned(struct courier_job *job)
{
    struct emulated_delivery *d = job->data;

    loop_call_post(d->dispatcher->loop_calls, &d->call);
}

/* A delayed delivery is signed when it is due. */
static void dispatch_submit_first(struct emulated_delivery *d)
{
    int64_t delay_us = (int64_t)d->job.faults.delay_s * 1000000;

    if (delay_us > 0)
        shipment_free(&d->job.shipment);
    dispatch_submit(d, delay_us > 0 ? clock_mono_us() + delay_us : 0);
}

bool dispatcher_send(struct dispatcher *dispatcher, const struct dispatch_request *request,
                     char *why)
{
    struct emulated_delivery *d = dispatcher->stopping ? NULL : emulated_delivery_new(request);
    bool good;

    if (d == NULL)
        return dispatch_fail(why,
                             dispatcher->stopping ? "the emulator is stopping" : "out of memory");
    d->dispatcher = dispatcher;
    d->job.back = dispatch_on_job_returned;
    d->job.spec.now = clock_wall_us() / 1000000;
    d->job.shipment = shipment_build(&d->job.spec, &d->job.faults, why);
    good = d->job.shipment != NULL && dispatch_record(dispatcher, d, request, why);
    if (good)
        dispatch_submit_first(d);
    else
        emulated_delivery_free(&d);
    return good;
}

/* ---- test events */

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

static bool dispatch_test_send_one(const struct dispatch_test *test, const struct payload *payload,
                                   const char *event_id, const char *delivery_id,
                                   char why[FAULTS_WHY_SIZE])
{
    const char *extra[3] = {NULL};
    struct dispatch_request request = {
        .provider = test->endpoint->provider,
        .endpoint = test->endpoint,
        .event_id = event_id,
        .event_type = payload->type,
        .body = payload->body,
        .len = payload->len,
        .extra = extra,
        .delivery_id = delivery_id[0] != '\0' ? delivery_id : NULL,
        .retry_s = test->traits->retries ? test->emulator->retry_s : NULL,
        .timeout_s = test->traits->timeout_s,
        .faults = *test->faults,
        .done = test->done,
        .data = test->data,
    };
    size_t count = 0;

    for (size_t i = 0; i < 2; i++)
        if (payload->headers[i][0] != '\0')
            extra[count++] = payload->headers[i];
    for (size_t i = 0; i < 5; i++)
        request.status_names[i] = test->traits->status_names[i];
    return dispatcher_send(test->emulator->dispatcher, &request, why);
}

/* Makes all ids before anything is sent. */
static void dispatch_test_make_ids(const struct dispatch_test *test, struct dispatch_batch *batch)
{
    const char *prefix = payload_id_prefix(test->endpoint->scheme);

    batch->count =
        test->faults->burst > DISPATCH_BATCH_MAX ? DISPATCH_BATCH_MAX : test->faults->burst;
    if (batch->count == 0)
        batch->count = 1;
    for (size_t i = 0; i < batch->count; i++) {
        ids_make_hex(batch->event_ids[i], prefix);
        batch->delivery_ids[i][0] = '\0';
        if (test->traits->delivery_prefix != NULL)
            ids_make_hex(batch->delivery_ids[i], test->traits->delivery_prefix);
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
        /* Later events have later times, even when reordered. */
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
