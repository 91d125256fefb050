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

/* ---- one delivery on its way: copies of all that is needed until it is over.
 *
 * Ownership  emulated_delivery_new() makes it, emulated_delivery_free() wipes and releases it. */

struct dispatch_request;
struct dispatch_attempt;
struct dispatcher;
struct ledger_endpoint;

enum {
    EMULATED_RETRIES_MAX = 16,
    EMULATED_EXTRA_MAX = 8,
};

struct emulated_delivery {
    struct courier_job job;
    struct dispatcher *dispatcher;
    struct mailbox_message call; /* the way back to the loop */
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

/* NULL stays NULL. */
static char *emulated_copy_text(const char *text, bool *good)
{
    char *out = text == NULL ? NULL : strdup(text);

    if (text != NULL && out == NULL)
        *good = false;
    return out;
}

static void emulated_copy_names(struct emulated_delivery *j, const struct dispatch_request *request,
                                bool *good)
{
    j->provider = emulated_copy_text(request->provider, good);
    j->endpoint_id = emulated_copy_text(request->endpoint->id, good);
    j->event_id = emulated_copy_text(request->event_id == NULL ? "" : request->event_id, good);
    j->event_type = emulated_copy_text(request->event_type, good);
    j->delivery_id = emulated_copy_text(request->delivery_id, good);
    for (int i = 0; i < 5; i++)
        j->status_names[i] = emulated_copy_text(request->status_names[i], good);
    for (int i = 0; request->retry_s != NULL && request->retry_s[i] != 0; i++)
        if (i < EMULATED_RETRIES_MAX)
            j->retry_s[i] = request->retry_s[i];
}

static void emulated_copy_target(struct emulated_delivery *j,
                                 const struct ledger_endpoint *endpoint, bool *good)
{
    const hookline_scheme *scheme =
        endpoint->scheme == NULL ? NULL : hookline_scheme_find(endpoint->scheme);

    j->url = emulated_copy_text(endpoint->url, good);
    j->signed_url = emulated_copy_text(endpoint->signed_url, good);
    j->description =
        emulated_copy_text(scheme == NULL ? endpoint->description : scheme->description, good);
    if (j->description == NULL)
        j->description = emulated_copy_text("", good);
    j->secrets[0] = emulated_copy_text(endpoint->secret, good);
    if (endpoint->previous_secret != NULL && endpoint->previous_secret[0] != '\0')
        j->secrets[1] = emulated_copy_text(endpoint->previous_secret, good);
}

static void emulated_copy_content(struct emulated_delivery *j,
                                  const struct dispatch_request *request, bool *good)
{
    j->body = malloc(request->len + 1);
    if (j->body == NULL)
        *good = false;
    else if (request->len > 0)
        memcpy(j->body, request->body, request->len);
    for (size_t i = 0; request->extra != NULL && request->extra[i] != NULL; i++) {
        if (i < EMULATED_EXTRA_MAX)
            j->extra[i] = emulated_copy_text(request->extra[i], good);
        else
            *good = false;
    }
}

static void emulated_address_job(struct emulated_delivery *j)
{
    j->job.url = j->url;
    j->job.spec.url = j->signed_url == NULL ? j->url : j->signed_url;
    j->job.spec.secrets_count = j->secrets[1] == NULL ? 1 : 2;
}

static void emulated_fill_job(struct emulated_delivery *j, const struct dispatch_request *request)
{
    j->job = (struct courier_job){
        .spec =
            {
                .description = j->description,
                .secrets = (const char *const *)j->secrets,
                .body = {j->body, request->len},
                .id = {j->event_id, strlen(j->event_id)},
                .extra = (const char *const *)j->extra,
            },
        .faults = request->faults,
        .timeout_s = request->timeout_s,
        .in_line = request->faults.reorder,
        .data = j,
    };
    emulated_address_job(j);
}

static void emulated_wipe_secret(char *secret)
{
    if (secret != NULL)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

static void emulated_free_target(struct emulated_delivery *j)
{
    free(j->url);
    free(j->signed_url);
    free(j->description);
    emulated_wipe_secret(j->secrets[0]);
    emulated_wipe_secret(j->secrets[1]);
}

static void emulated_delivery_free(struct emulated_delivery **delivery)
{
    struct emulated_delivery *j = *delivery;

    if (j == NULL)
        return;
    shipment_free(&j->job.shipment);
    free(j->job.error);
    free(j->job.excerpt);
    free(j->provider);
    free(j->endpoint_id);
    free(j->event_id);
    free(j->event_type);
    free(j->delivery_id);
    for (int i = 0; i < 5; i++)
        free(j->status_names[i]);
    emulated_free_target(j);
    free(j->body);
    for (int i = 0; i < EMULATED_EXTRA_MAX; i++)
        free(j->extra[i]);
    free(j);
    *delivery = NULL;
}

/* NULL without memory, or if there are more than EMULATED_EXTRA_MAX further headers. */
static struct emulated_delivery *emulated_delivery_new(const struct dispatch_request *request)
{
    struct emulated_delivery *j = calloc(1, sizeof(*j));
    bool good = j != NULL;

    if (!good)
        return NULL;
    emulated_copy_names(j, request, &good);
    emulated_copy_target(j, request->endpoint, &good);
    emulated_copy_content(j, request, &good);
    j->done = request->done;
    j->data = request->data;
    if (request->faults.copies > 1)
        j->copies_left = request->faults.copies - 1;
    if (good)
        emulated_fill_job(j, request);
    else
        emulated_delivery_free(&j);
    return j;
}

/* Before another attempt: the endpoint's URL and secrets as they are now. Without memory they stay
 * as they were. */
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

/* ---- dispatch */

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

static void dispatch_take_call(struct mailbox_message *call);

static void dispatch_submit(struct emulated_delivery *j, int64_t due_us)
{
    free(j->job.error);
    free(j->job.excerpt);
    j->job.error = j->job.excerpt = NULL;
    j->job.due_us = due_us;
    j->call.take = dispatch_take_call;
    loop_call_begin(j->dispatcher->loop_calls);
    courier_send(j->dispatcher->options.courier, &j->job);
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
        dispatch_submit(j, 0);
        return true;
    }
    if (!retry)
        return false;
    shipment_free(&j->job.shipment);
    j->job.only_waits = true;
    dispatch_submit(j, clock_mono_us() + (int64_t)j->retry_s[j->attempts - 1] * 1000000);
    return true;
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
    if (dispatch_refresh(j)) {
        dispatch_submit(j, 0);
        return true;
    }
    free(j->job.error);
    j->job.error = strdup("given up: the endpoint is disabled or gone");
    return false;
}

static void dispatch_take_call(struct mailbox_message *call)
{
    struct emulated_delivery *j =
        (struct emulated_delivery *)((char *)call - offsetof(struct emulated_delivery, call));

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

    loop_call_post(j->dispatcher->loop_calls, &j->call);
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
    if (good)
        dispatch_submit(j, 0);
    else
        emulated_delivery_free(&j);
    return good;
}

/* ---- trial */

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
