/* SPDX-License-Identifier: MIT
 *
 * loop_call.h - what another thread does for a loop, and the way back. Part of the HTTP seam.
 *
 * Threads    Every function on the thread of the loop, but for loop_call_done().
 */
#ifndef DAEMON_HTTP_LOOP_CALL_H
#define DAEMON_HTTP_LOOP_CALL_H

#include <stdbool.h>

struct loop_call;
struct loop_calls;
struct st_h2o_context_t;

struct loop_calls *loop_calls_open(struct st_h2o_context_t *ctx);

/* Waits for all that have begun. */
void loop_calls_close(struct loop_calls *loop_calls);

/* `finish` is called on the loop after loop_call_done(), unless loop_call_cancel() is called before: when
 * nobody has begun it. NULL without memory. */
struct loop_call *loop_call_begin(struct loop_calls *loop_calls,
                                  void (*finish)(void *data, bool good), void *data);
void loop_call_cancel(struct loop_call *loop_call);

/* On any thread: posts a message, no more. */
void loop_call_done(struct loop_call *loop_call, bool good);

#endif
