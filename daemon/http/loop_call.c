/* SPDX-License-Identifier: MIT */
#include "daemon/http/loop_call.h"

#include <h2o.h>

enum {
    LOOP_CALLS_WAIT_MS = 20,
    LOOP_CALLS_LAST_TURNS = 3,
};

struct loop_calls {
    h2o_context_t *ctx;
    h2o_multithread_receiver_t receiver;
    h2o_multithread_message_t message; /* queued while the mailbox holds calls */
    struct mailbox mailbox;
    size_t outstanding;
    void (*taken)(void *data);
    void *data;
};

static void loop_calls_wake(void *data)
{
    struct loop_calls *calls = data;

    h2o_multithread_send_message(&calls->receiver, &calls->message);
}

static void loop_calls_on_wake_up(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages)
{
    struct loop_calls *calls = H2O_STRUCT_FROM_MEMBER(struct loop_calls, receiver, receiver);

    while (!h2o_linklist_is_empty(messages))
        h2o_linklist_unlink(messages->next);
    calls->outstanding -= mailbox_take(&calls->mailbox);
    if (calls->taken != NULL)
        calls->taken(calls->data);
}

struct loop_calls *loop_calls_open(h2o_context_t *ctx, void (*taken)(void *data), void *data)
{
    struct loop_calls *calls = h2o_mem_alloc(sizeof(*calls));

    *calls = (struct loop_calls){.ctx = ctx, .taken = taken, .data = data};
    mailbox_open(&calls->mailbox, loop_calls_wake, calls);
    h2o_multithread_register_receiver(ctx->queue, &calls->receiver, loop_calls_on_wake_up);
    return calls;
}

void loop_calls_close(struct loop_calls *calls)
{
    while (calls->outstanding > 0)
        h2o_evloop_run(calls->ctx->loop, LOOP_CALLS_WAIT_MS);
    /* libh2o sends the last answers, and closes their connections, in later turns. */
    for (int turns = 0; turns < LOOP_CALLS_LAST_TURNS; turns++)
        h2o_evloop_run(calls->ctx->loop, 0);
    h2o_multithread_unregister_receiver(calls->ctx->queue, &calls->receiver);
    mailbox_close(&calls->mailbox);
    free(calls);
}

void loop_call_begin(struct loop_calls *calls)
{
    calls->outstanding++;
}

void loop_call_cancel(struct loop_calls *calls)
{
    calls->outstanding--;
}

void loop_call_post(struct loop_calls *calls, struct mailbox_message *call)
{
    mailbox_post(&calls->mailbox, call);
}

/* ---- requests */

static void request_ticket_on_gone(void *stub)
{
    struct request_ticket *ticket = *(struct request_ticket **)stub;

    if (ticket != NULL)
        ticket->req = NULL;
}

void request_ticket_open(struct request_ticket *ticket, h2o_req_t *req)
{
    ticket->req = req;
    ticket->stub = h2o_mem_alloc_shared(&req->pool, sizeof(*ticket->stub), request_ticket_on_gone);
    *ticket->stub = ticket;
}

h2o_req_t *request_ticket_take(struct request_ticket *ticket)
{
    h2o_req_t *req = ticket->req;

    if (req != NULL)
        *ticket->stub = NULL;
    ticket->req = NULL;
    return req;
}
