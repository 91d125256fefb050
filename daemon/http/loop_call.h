/* SPDX-License-Identifier: MIT
 *
 * loop_call.h - completions that another thread posts to a loop.
 *
 * Threads    Every function on the thread of the loop, except loop_call_done().
 */
#ifndef DAEMON_HTTP_LOOP_CALL_H
#define DAEMON_HTTP_LOOP_CALL_H

#include <stdbool.h>

struct loop_call;
struct loop_calls;
struct st_h2o_context_t;

struct loop_calls *loop_calls_open(struct st_h2o_context_t *ctx);

/* Waits for every call that has begun, then frees the set. */
void loop_calls_close(struct loop_calls *loop_calls);

/* Begins a call. `finish` runs on the loop after loop_call_done(). Cancel the call if no thread
 * took the work. Returns NULL on ENOMEM. */
struct loop_call *loop_call_begin(struct loop_calls *loop_calls,
                                  void (*finish)(void *data, bool good), void *data);
void loop_call_cancel(struct loop_call *loop_call);

/* Posts the result to the loop. Any thread; never blocks. */
void loop_call_done(struct loop_call *loop_call, bool good);

#endif
