/* SPDX-License-Identifier: MIT
 *
 * replay.h - requests that change something: deliveries to be sent once more, or not any more.
 * Part of the HTTP seam.
 *
 * Threads    That of the loop.
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

/* Answers when the disk has what was asked for. Of many deliveries some at a time are taken, so
 * that nobody else waits for long. */
void replay_begin(const struct replay_tools *tools, struct st_h2o_req_t *req,
                  const struct query *query);

#endif
