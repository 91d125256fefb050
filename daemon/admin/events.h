/* SPDX-License-Identifier: MIT
 *
 * events.h - the feed as streams of server-sent events. Part of the HTTP seam.
 *
 * Threads    Every function on the thread of the loop.
 */
#ifndef DAEMON_ADMIN_EVENTS_H
#define DAEMON_ADMIN_EVENTS_H

#include <stdbool.h>

struct events;
struct feed;
struct query;
struct st_h2o_context_t;
struct st_h2o_req_t;

enum {
    EVENTS_STREAMS_MAX = 64,
    EVENTS_HEARTBEAT_S = 15,
};

struct events *events_open(struct st_h2o_context_t *ctx, struct feed *feed);
void events_close(struct events *events);

/* Answers with a stream of the lines that pass. False, and nothing is answered, if there are
 * EVENTS_STREAMS_MAX already. */
bool events_begin(struct events *events, struct st_h2o_req_t *req, const struct query *query);

/* Sends what keeps quiet streams alive: call it once a second or more often. */
void events_heartbeat(struct events *events);

/* Ends all streams, and those to come at once. */
void events_end(struct events *events);

#endif
