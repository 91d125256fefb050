/* SPDX-License-Identifier: MIT */
#include "daemon/http/loop_call.h"

#include <sched.h>
#include <stdatomic.h>

#include <h2o.h>

enum {
    LOOP_CALLS_WAIT_MS = 20,
};

struct loop_calls {
    h2o_context_t *ctx;
    h2o_multithread_receiver_t finished;
    size_t outstanding;
    atomic_uint posting; /* threads about to wake the loop */
};

struct loop_call {
    h2o_multithread_message_t message;
    struct loop_calls *all;
    void (*finish)(void *data, bool good);
    void *data;
    bool good;
};

static void loop_calls_on_finished(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages)
{
    struct loop_calls *all = H2O_STRUCT_FROM_MEMBER(struct loop_calls, finished, receiver);

    while (!h2o_linklist_is_empty(messages)) {
        struct loop_call *loop_call =
            H2O_STRUCT_FROM_MEMBER(struct loop_call, message.link, messages->next);

        h2o_linklist_unlink(messages->next);
        all->outstanding--;
        loop_call->finish(loop_call->data, loop_call->good);
        free(loop_call);
    }
}

struct loop_calls *loop_calls_open(h2o_context_t *ctx)
{
    struct loop_calls *all = h2o_mem_alloc(sizeof(*all));

    *all = (struct loop_calls){.ctx = ctx};
    h2o_multithread_register_receiver(ctx->queue, &all->finished, loop_calls_on_finished);
    return all;
}

void loop_calls_close(struct loop_calls *all)
{
    while (all->outstanding > 0)
        h2o_evloop_run(all->ctx->loop, LOOP_CALLS_WAIT_MS);
    /* libh2o queues the message before it wakes the loop: wait for threads in between. */
    while (atomic_load(&all->posting) > 0)
        sched_yield();
    h2o_multithread_unregister_receiver(all->ctx->queue, &all->finished);
    free(all);
}

struct loop_call *loop_call_begin(struct loop_calls *all, void (*finish)(void *data, bool good),
                                  void *data)
{
    struct loop_call *loop_call = calloc(1, sizeof(*loop_call));

    if (loop_call == NULL)
        return NULL;
    loop_call->all = all;
    loop_call->finish = finish;
    loop_call->data = data;
    all->outstanding++;
    return loop_call;
}

void loop_call_cancel(struct loop_call *loop_call)
{
    loop_call->all->outstanding--;
    free(loop_call);
}

void loop_call_done(struct loop_call *loop_call, bool good)
{
    struct loop_calls *all = loop_call->all;

    loop_call->good = good;
    atomic_fetch_add(&all->posting, 1);
    h2o_multithread_send_message(&all->finished, &loop_call->message);
    atomic_fetch_sub(&all->posting, 1);
}
