/* SPDX-License-Identifier: MIT */
#include "daemon/http/errand.h"

#include <sched.h>
#include <stdatomic.h>

#include <h2o.h>

enum {
    WAIT_MS = 20,
};

struct errands {
    h2o_context_t *ctx;
    h2o_multithread_receiver_t finished;
    size_t outstanding;
    atomic_uint posting; /* threads that are about to wake the loop */
};

struct errand {
    h2o_multithread_message_t message;
    struct errands *all;
    void (*finish)(void *data, bool good);
    void *data;
    bool good;
};

static void on_finished(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages)
{
    struct errands *all = H2O_STRUCT_FROM_MEMBER(struct errands, finished, receiver);

    while (!h2o_linklist_is_empty(messages)) {
        struct errand *errand = H2O_STRUCT_FROM_MEMBER(struct errand, message.link, messages->next);

        h2o_linklist_unlink(messages->next);
        all->outstanding--;
        errand->finish(errand->data, errand->good);
        free(errand);
    }
}

struct errands *errands_open(h2o_context_t *ctx)
{
    struct errands *all = h2o_mem_alloc(sizeof(*all));

    *all = (struct errands){.ctx = ctx};
    h2o_multithread_register_receiver(ctx->queue, &all->finished, on_finished);
    return all;
}

void errands_close(struct errands *all)
{
    while (all->outstanding > 0)
        h2o_evloop_run(all->ctx->loop, WAIT_MS);
    /* libh2o wakes the loop after it has queued the message: the loop may have seen it by then. */
    while (atomic_load(&all->posting) > 0)
        sched_yield();
    h2o_multithread_unregister_receiver(all->ctx->queue, &all->finished);
    free(all);
}

struct errand *errand_begin(struct errands *all, void (*finish)(void *data, bool good), void *data)
{
    struct errand *errand = calloc(1, sizeof(*errand));

    if (errand == NULL)
        return NULL;
    errand->all = all;
    errand->finish = finish;
    errand->data = data;
    all->outstanding++;
    return errand;
}

void errand_cancel(struct errand *errand)
{
    errand->all->outstanding--;
    free(errand);
}

void errand_done(struct errand *errand, bool good)
{
    struct errands *all = errand->all;

    errand->good = good;
    atomic_fetch_add(&all->posting, 1);
    h2o_multithread_send_message(&all->finished, &errand->message);
    atomic_fetch_sub(&all->posting, 1);
}
