/* SPDX-License-Identifier: MIT */
#include "cli/emulator/courier.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/http/call.h"
#include "daemon/base/clock.h"
#include "cli/emulator/excerpt.h"

enum {
    AT_ONCE = 256, /* connections; the others wait */
    WAIT_MS = 60000,
};

struct courier {
    char *ca_file;
    pthread_t thread;
    struct call_set *calls;
    struct mailbox mailbox;
    atomic_bool stopping;
    /* The thread's own. */
    struct letter *waiting, **last; /* in the order in which they came */
    struct letter *under_way;
    unsigned calls_open;
};

/* ---- what became of it */

static char *copy_text(const char *text)
{
    return strdup(text == NULL ? "" : text);
}

static void give_back(struct letter *letter, const char *error)
{
    if (error != NULL)
        letter->error = copy_text(error);
    letter->back(letter);
}

static void unlink_letter(struct letter **list, struct letter *letter)
{
    while (*list != letter)
        list = &(*list)->next;
    *list = letter->next;
}

static const char *error_of(const struct letter *letter, const struct call_result *result)
{
    if (result->outcome == CALL_ANSWERED)
        return NULL;
    if (!letter->sent)
        return "given up: the emulator stops";
    return shipment_error(&letter->sending,
                          result->error == NULL ? "the delivery failed" : result->error);
}

static void on_done(void *data, const struct call_result *result)
{
    struct letter *letter = data;
    struct courier *courier = letter->courier;

    unlink_letter(&courier->under_way, letter);
    courier->calls_open--;
    letter->sent = !atomic_load(&courier->stopping) || result->outcome == CALL_ANSWERED;
    if (result->outcome == CALL_ANSWERED) {
        letter->status = result->status;
        letter->excerpt = excerpt_make(result->answer, result->len);
    }
    give_back(letter, error_of(letter, result));
}

/* ---- sending */

static bool pack(struct letter *letter, char *why)
{
    if (letter->shipment != NULL)
        return true;
    letter->parcel.now = clock_wall_us() / 1000000;
    letter->shipment = shipment_pack(&letter->parcel, &letter->faults, why);
    return letter->shipment != NULL;
}

static void start(struct courier *courier, struct letter *letter)
{
    const struct call_target target = {
        .url = letter->url, .ca_file = courier->ca_file, .timeout_s = letter->timeout_s};
    struct call_request request;
    char why[SHIPMENT_WHY_SIZE];

    if (letter->only_waits) {
        give_back(letter, NULL);
        return;
    }
    letter->sent = true;
    if (!pack(letter, why)) {
        give_back(letter, why);
        return;
    }
    letter->sending = (struct shipment_sending){.shipment = letter->shipment};
    shipment_request(letter->shipment, &target, &request);
    request.keep_answer = true;
    letter->next = courier->under_way;
    courier->under_way = letter;
    courier->calls_open++;
    letter->call = call_start(courier->calls, &request, on_done, letter);
    if (letter->call == NULL) {
        unlink_letter(&courier->under_way, letter);
        courier->calls_open--;
        give_back(letter, "nothing could be sent: out of memory, or the URL is none");
    }
}

static bool is_behind(const struct letter *first, const struct letter *end,
                      const struct letter *letter)
{
    for (; first != end; first = first->next)
        if (first->in_line && strcmp(first->url, letter->url) == 0)
            return true;
    return false;
}

static bool may_start(const struct courier *courier, const struct letter *letter, int64_t now_us)
{
    if (letter->due_us > now_us || courier->calls_open >= AT_ONCE)
        return false;
    return !letter->in_line || (!is_behind(courier->under_way, NULL, letter) &&
                                !is_behind(courier->waiting, letter, letter));
}

static struct letter *take_due(struct courier *courier)
{
    int64_t now_us = clock_mono_us();

    for (struct letter **at = &courier->waiting; *at != NULL; at = &(*at)->next) {
        struct letter *letter = *at;

        if (!may_start(courier, letter, now_us))
            continue;
        *at = letter->next;
        if (*at == NULL)
            courier->last = at;
        return letter;
    }
    return NULL;
}

/* Until the next is due; what waits for others is looked at when one of them has ended. */
static int wait_ms(const struct courier *courier)
{
    int64_t now_us = clock_mono_us(), wait = WAIT_MS;

    for (const struct letter *letter = courier->waiting; letter != NULL; letter = letter->next) {
        if (may_start(courier, letter, now_us))
            return 0;
        if (letter->due_us > now_us && (letter->due_us - now_us) / 1000 + 1 < wait)
            wait = (letter->due_us - now_us) / 1000 + 1;
    }
    return (int)wait;
}

static void give_up(struct courier *courier)
{
    struct letter *letter;

    while (courier->under_way != NULL)
        call_cancel(courier->under_way->call);
    mailbox_empty(&courier->mailbox);
    while ((letter = courier->waiting) != NULL) {
        courier->waiting = letter->next;
        letter->sent = false;
        give_back(letter, "given up: the emulator stops");
    }
}

static void *run(void *data)
{
    struct courier *courier = data;
    struct letter *letter;

    while (!atomic_load(&courier->stopping)) {
        mailbox_empty(&courier->mailbox);
        while ((letter = take_due(courier)) != NULL)
            start(courier, letter);
        call_poll(courier->calls, wait_ms(courier));
    }
    give_up(courier);
    return NULL;
}

/* ---- from outside */

static void wake(void *data)
{
    struct courier *courier = data;

    call_wake(courier->calls);
}

static void take(struct message *message)
{
    struct letter *letter =
        (struct letter *)(void *)((char *)message - offsetof(struct letter, message));
    struct courier *courier = letter->courier;

    letter->next = NULL;
    if (courier->waiting == NULL)
        courier->last = &courier->waiting;
    *courier->last = letter;
    courier->last = &letter->next;
}

void courier_send(struct courier *courier, struct letter *letter)
{
    letter->courier = courier;
    letter->sent = false;
    letter->status = 0;
    letter->error = letter->excerpt = NULL;
    letter->message.take = take;
    mailbox_post(&courier->mailbox, &letter->message);
}

struct courier *courier_open(const char *ca_file, char why[COURIER_WHY_SIZE])
{
    struct courier *courier = calloc(1, sizeof(*courier));

    if (courier == NULL || (courier->calls = call_set_new()) == NULL ||
        (ca_file != NULL && (courier->ca_file = strdup(ca_file)) == NULL)) {
        snprintf(why, COURIER_WHY_SIZE, "out of memory");
    } else {
        int error;

        mailbox_init(&courier->mailbox, wake, courier);
        error = pthread_create(&courier->thread, NULL, run, courier);
        if (error == 0)
            return courier;
        snprintf(why, COURIER_WHY_SIZE, "no thread could be started: %s", strerror(error));
        mailbox_destroy(&courier->mailbox);
    }
    if (courier != NULL) {
        call_set_free(&courier->calls);
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
    wake(c);
    pthread_join(c->thread, NULL);
    call_set_free(&c->calls);
    mailbox_destroy(&c->mailbox);
    free(c->ca_file);
    free(c);
    *courier = NULL;
}
