/* SPDX-License-Identifier: MIT
 *
 * command.h - requests that change something: deliveries to be sent once more, or not any more.
 * Part of the HTTP seam.
 *
 * Threads    That of the loop.
 */
#ifndef DAEMON_ADMIN_COMMAND_H
#define DAEMON_ADMIN_COMMAND_H

struct errands;
struct forwarder;
struct listing;
struct query;
struct st_h2o_req_t;

struct command_tools {
    struct forwarder *forwarder;
    struct listing *listing;
    struct errands *errands;
};

/* Answers when the disk has what was asked for. Of many deliveries some at a time are taken, so
 * that nobody else waits for long. */
void command_begin(const struct command_tools *tools, struct st_h2o_req_t *req,
                   const struct query *query);

#endif
