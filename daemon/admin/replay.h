/* SPDX-License-Identifier: MIT
 *
 * replay.h - POST /replay and below: sends deliveries again, or discards them.
 *
 * Ownership  A replay frees itself after its response; the tools outlive all replays.
 * Threads    The loop's thread.
 * Errors     Reported in the response.
 */
#ifndef DAEMON_ADMIN_REPLAY_H
#define DAEMON_ADMIN_REPLAY_H

struct loop_calls;
struct forwarder;
struct delivery_list;
struct query;
struct st_h2o_req_t;

struct replay_tools {
    struct forwarder *forwarder;
    struct delivery_list *list;
    struct loop_calls *loop_calls;
};

/* Starts a replay or discard, and answers once the change is on disk. Each transaction changes at
 * most 256 deliveries, so that other tasks of the writer do not wait long. */
void replay_begin(const struct replay_tools *tools, struct st_h2o_req_t *req,
                  const struct query *query);

#endif
