/* SPDX-License-Identifier: MIT
 *
 * linger.h - sockets whose peer has its answer and that are read from only so that it gets it: a
 * socket closed with something unread is reset, and the peer's kernel throws the answer away.
 *
 * Threads    Every function on the thread of the loop.
 */
#ifndef DAEMON_HTTP_LINGER_H
#define DAEMON_HTTP_LINGER_H

#include <stdint.h>

struct lingering;
struct st_h2o_evloop_t;

/* `gone` is called as each of them ends, with what was given with it. */
struct lingering *lingering_new(struct st_h2o_evloop_t *loop, void (*gone)(void *data));
void lingering_free(struct lingering **lingering);

/* The socket is its own from now on, for two seconds at most. */
void lingering_add(struct lingering *lingering, int fd, void *data);

/* Ends those whose time is over: call it about once a second; with INT64_MAX all of them. */
void lingering_sweep(struct lingering *lingering, int64_t now_us);

#endif
