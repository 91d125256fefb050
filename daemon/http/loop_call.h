/* SPDX-License-Identifier: MIT
 *
 * loop_call.h - what another thread does for a loop, the way back, and the request that waits for it.
 * Part of the HTTP seam.
 *
 * A loop call is the message of the loop's mailbox, and part of whatever the other thread works on:
 * nothing is allocated for it. No request of libh2o's crosses a thread.
 *
 * Ownership  loop_calls_open() makes a set, loop_calls_close() ends it.
 * Threads    Every function on the thread of the loop, but for loop_call_post().
 */
#ifndef DAEMON_HTTP_LOOP_CALL_H
#define DAEMON_HTTP_LOOP_CALL_H

#include "daemon/base/mailbox.h"

struct loop_calls;
struct st_h2o_context_t;
struct st_h2o_req_t;

/* The loop calls `taken`, unless it is NULL, whenever it has taken all calls that had come. */
struct loop_calls *loop_calls_open(struct st_h2o_context_t *ctx, void (*taken)(void *data),
                                   void *data);

/* Waits for all calls that have begun. */
void loop_calls_close(struct loop_calls *calls);

/* Each loop_call_begin() is followed by one loop_call_post(), or, if no other thread has got the
 * call, by loop_call_cancel(). */
void loop_call_begin(struct loop_calls *calls);
void loop_call_cancel(struct loop_calls *calls);

/* On any thread: has the loop call call->take(). */
void loop_call_post(struct loop_calls *calls, struct mailbox_message *call);

/* ---- a request that is answered later, unless its client leaves before. */

struct request_ticket {
    struct st_h2o_req_t *req; /* NULL: the client has left, or the request was taken */
    struct request_ticket **stub;
};

/* The ticket stays where it is until request_ticket_take(). */
void request_ticket_open(struct request_ticket *ticket, struct st_h2o_req_t *req);

/* The request, to be answered now; NULL if its client has left. Must be called once in any case. */
struct st_h2o_req_t *request_ticket_take(struct request_ticket *ticket);

#endif
