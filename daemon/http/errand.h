/* SPDX-License-Identifier: MIT
 *
 * errand.h - what another thread does for a loop, and the way back. Part of the HTTP seam.
 *
 * Threads    Every function on the thread of the loop, but for errand_done().
 */
#ifndef DAEMON_HTTP_ERRAND_H
#define DAEMON_HTTP_ERRAND_H

#include <stdbool.h>

struct errand;
struct errands;
struct st_h2o_context_t;

struct errands *errands_open(struct st_h2o_context_t *ctx);

/* Waits for all that have begun. */
void errands_close(struct errands *errands);

/* `finish` is called on the loop after errand_done(), unless errand_cancel() is called before: when
 * nobody has begun it. NULL without memory. */
struct errand *errand_begin(struct errands *errands, void (*finish)(void *data, bool good),
                            void *data);
void errand_cancel(struct errand *errand);

/* On any thread: posts a message, no more. */
void errand_done(struct errand *errand, bool good);

#endif
