/* SPDX-License-Identifier: MIT */
#include "cli/emulator/courier.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/text.h"
#include "daemon/http/client.h"

static const char courier_excerpt_replacement[] = "\xef\xbf\xbd";

/* Returns the length of the character at `bytes`; 0 if it is NUL or invalid. */
static size_t courier_excerpt_character_len(const char *bytes, size_t len)
{
    unsigned char first = (unsigned char)bytes[0];
    size_t wanted = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    return first == 0 || wanted > len || !text_is_utf8(bytes, wanted) ? 0 : wanted;
}

char *courier_excerpt_make(const char *bytes, size_t len)
{
    char *text = malloc(COURIER_EXCERPT_MAX + 1);
    size_t used = 0;

    if (text == NULL)
        return NULL;
    while (len > 0) {
        size_t taken = courier_excerpt_character_len(bytes, len);
        size_t size = taken > 0 ? taken : sizeof(courier_excerpt_replacement) - 1;

        if (used + size > COURIER_EXCERPT_MAX)
            break;
        memcpy(text + used, taken > 0 ? bytes : courier_excerpt_replacement, size);
        used += size;
        taken = taken > 0 ? taken : 1;
        bytes += taken;
        len -= taken;
    }
    text[used] = '\0';
    return text;
}

/* ---- courier */

enum {
    CONNECTIONS_MAX = 256, /* more jobs wait */
    WAIT_MS = 60000,
};

struct courier {
    char *ca_file;
    pthread_t thread;
    struct client_calls *calls;
    struct mailbox mailbox;
    atomic_bool stopping;
    /* Private to the thread. */
    struct courier_job *waiting, **last; /* in order of arrival */
    struct courier_job *under_way;
    unsigned calls_open;
};

/* ---- results */

static char *courier_copy_text(const char *text)
{
    return strdup(text == NULL ? "" : text);
}

static void courier_job_return(struct courier_job *job, const char *error)
{
    if (error != NULL)
        job->error = courier_copy_text(error);
    job->back(job);
}

static void courier_job_unlink(struct courier_job **list, struct courier_job *job)
{
    while (*list != job)
        list = &(*list)->next;
    *list = job->next;
}

static const char *courier_job_error(const struct courier_job *job,
                                     const struct client_result *result)
{
    if (result->outcome == CLIENT_ANSWERED)
        return NULL;
    if (!job->sent)
        return "given up: the emulator is stopping";
    return shipment_error(&job->sending,
                          result->error == NULL ? "the delivery failed" : result->error);
}

static void courier_job_on_done(void *data, const struct client_result *result)
{
    struct courier_job *job = data;
    struct courier *courier = job->courier;

    courier_job_unlink(&courier->under_way, job);
    courier->calls_open--;
    job->sent = !atomic_load(&courier->stopping) || result->outcome == CLIENT_ANSWERED;
    if (result->outcome == CLIENT_ANSWERED) {
        job->status = result->status;
        job->excerpt = courier_excerpt_make(result->answer, result->len);
    }
    courier_job_return(job, courier_job_error(job, result));
}

/* ---- sending */

static bool courier_job_pack(struct courier_job *job, char *why)
{
    if (job->shipment != NULL)
        return true;
    job->spec.now = clock_wall_us() / 1000000;
    job->shipment = shipment_build(&job->spec, &job->faults, why);
    return job->shipment != NULL;
}

static void courier_job_start(struct courier *courier, struct courier_job *job)
{
    const struct client_target target = {
        .url = job->url, .ca_file = courier->ca_file, .timeout_s = job->timeout_s};
    struct client_request request;
    char why[SHIPMENT_WHY_SIZE];

    if (job->only_waits) {
        courier_job_return(job, NULL);
        return;
    }
    job->sent = true;
    if (!courier_job_pack(job, why)) {
        courier_job_return(job, why);
        return;
    }
    job->sending = (struct shipment_sending){.shipment = job->shipment};
    shipment_request(job->shipment, &target, &request);
    request.keep_answer = true;
    job->next = courier->under_way;
    courier->under_way = job;
    courier->calls_open++;
    job->call = client_call_start(courier->calls, &request, courier_job_on_done, job);
    if (job->call == NULL) {
        courier_job_unlink(&courier->under_way, job);
        courier->calls_open--;
        courier_job_return(job, "cannot send: out of memory, or invalid URL");
    }
}

static bool courier_job_is_behind(const struct courier_job *first, const struct courier_job *end,
                                  const struct courier_job *job)
{
    for (; first != end; first = first->next)
        if (first->in_line && strcmp(first->url, job->url) == 0)
            return true;
    return false;
}

static bool courier_job_may_start(const struct courier *courier, const struct courier_job *job,
                                  int64_t now_us)
{
    if (job->due_us > now_us || courier->calls_open >= CONNECTIONS_MAX)
        return false;
    return !job->in_line || (!courier_job_is_behind(courier->under_way, NULL, job) &&
                             !courier_job_is_behind(courier->waiting, job, job));
}

static struct courier_job *courier_take_due(struct courier *courier)
{
    int64_t now_us = clock_mono_us();

    for (struct courier_job **at = &courier->waiting; *at != NULL; at = &(*at)->next) {
        struct courier_job *job = *at;

        if (!courier_job_may_start(courier, job, now_us))
            continue;
        *at = job->next;
        if (*at == NULL)
            courier->last = at;
        return job;
    }
    return NULL;
}

/* Time to the next due job. Jobs that wait for others are checked when a job ends. */
static int courier_wait_ms(const struct courier *courier)
{
    int64_t now_us = clock_mono_us(), wait = WAIT_MS;

    for (const struct courier_job *job = courier->waiting; job != NULL; job = job->next) {
        if (courier_job_may_start(courier, job, now_us))
            return 0;
        if (job->due_us > now_us && (job->due_us - now_us) / 1000 + 1 < wait)
            wait = (job->due_us - now_us) / 1000 + 1;
    }
    return (int)wait;
}

static void courier_return_all(struct courier *courier)
{
    struct courier_job *job;

    while (courier->under_way != NULL)
        client_call_cancel(courier->under_way->call);
    mailbox_take(&courier->mailbox);
    while ((job = courier->waiting) != NULL) {
        courier->waiting = job->next;
        job->sent = false;
        courier_job_return(job, "given up: the emulator is stopping");
    }
}

static void *courier_run(void *data)
{
    struct courier *courier = data;
    struct courier_job *job;

    while (!atomic_load(&courier->stopping)) {
        mailbox_take(&courier->mailbox);
        while ((job = courier_take_due(courier)) != NULL)
            courier_job_start(courier, job);
        client_calls_poll(courier->calls, courier_wait_ms(courier));
    }
    courier_return_all(courier);
    return NULL;
}

/* ---- open, send and close */

static void courier_wake(void *data)
{
    struct courier *courier = data;

    client_calls_wake(courier->calls);
}

static void courier_job_enqueue(struct mailbox_message *message)
{
    struct courier_job *job =
        (struct courier_job *)(void *)((char *)message - offsetof(struct courier_job, message));
    struct courier *courier = job->courier;

    job->next = NULL;
    if (courier->waiting == NULL)
        courier->last = &courier->waiting;
    *courier->last = job;
    courier->last = &job->next;
}

void courier_send(struct courier *courier, struct courier_job *job)
{
    job->courier = courier;
    job->sent = false;
    job->status = 0;
    job->error = job->excerpt = NULL;
    job->message.take = courier_job_enqueue;
    mailbox_post(&courier->mailbox, &job->message);
}

struct courier *courier_open(const char *ca_file, char why[COURIER_WHY_SIZE])
{
    struct courier *courier = calloc(1, sizeof(*courier));

    if (courier == NULL || (courier->calls = client_calls_new()) == NULL ||
        (ca_file != NULL && (courier->ca_file = strdup(ca_file)) == NULL)) {
        snprintf(why, COURIER_WHY_SIZE, "out of memory");
    } else {
        int error;

        mailbox_open(&courier->mailbox, courier_wake, courier);
        error = pthread_create(&courier->thread, NULL, courier_run, courier);
        if (error == 0)
            return courier;
        snprintf(why, COURIER_WHY_SIZE, "cannot start a thread: %s", strerror(error));
        mailbox_close(&courier->mailbox);
    }
    if (courier != NULL) {
        client_calls_free(&courier->calls);
        free(courier->ca_file);
    }
    free(courier);
    return NULL;
}

void courier_close(struct courier **courier)
{
    struct courier *c = *courier;

    if (c == NULL)
        return;
    atomic_store(&c->stopping, true);
    courier_wake(c);
    pthread_join(c->thread, NULL);
    client_calls_free(&c->calls);
    mailbox_close(&c->mailbox);
    free(c->ca_file);
    free(c);
    *courier = NULL;
}
