/* SPDX-License-Identifier: MIT
 *
 * loop_call.h - completions that another thread posts to a loop, and requests that wait for them.
 *
 * A loop call is a message in the loop's mailbox and a member of the other thread's work, so it
 * needs no memory of its own. No libh2o request crosses threads.
 *
 * Ownership  loop_calls_open() allocates, loop_calls_close() frees.
 * Threads    Every function on the thread of the loop, except loop_call_post().
 */
#ifndef DAEMON_HTTP_LOOP_CALL_H
#define DAEMON_HTTP_LOOP_CALL_H

#include "daemon/base/mailbox.h"

struct loop_calls;
struct st_h2o_context_t;
struct st_h2o_req_t;

/* Opens the set of a loop; aborts on ENOMEM. `taken` runs after each batch of calls; may be NULL. */
struct loop_calls *loop_calls_open(struct st_h2o_context_t *ctx, void (*taken)(void *data),
                                   void *data);

/* Waits for every call that has begun, then frees the set. */
void loop_calls_close(struct loop_calls *calls);

/* Begins a call. Post it once, or cancel it if no thread took the work. */
void loop_call_begin(struct loop_calls *calls);
void loop_call_cancel(struct loop_calls *calls);

/* Makes the loop run call->take(). Any thread; never waits for the loop. */
void loop_call_post(struct loop_calls *calls, struct mailbox_message *call);

/* ---- request ticket: a request to answer later, unless its client leaves first */

struct request_ticket {
    struct st_h2o_req_t *req; /* NULL: the client has left, or the request was taken */
    struct request_ticket **stub;
};

/* Opens a ticket. Its address must not change until request_ticket_take(). */
void request_ticket_open(struct request_ticket *ticket, struct st_h2o_req_t *req);

/* Returns the request, which the caller answers at once; NULL if the client has left. Call it
 * exactly once. */
struct st_h2o_req_t *request_ticket_take(struct request_ticket *ticket);

#endif
