/* SPDX-License-Identifier: MIT
 *
 * events.h - GET /events: streams log lines from the feed as server-sent events.
 *
 * Ownership  events_open() allocates, events_close() frees after the last stream.
 * Threads    The loop's thread.
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
    EVENTS_STREAMS_OF_ADDRESS = 32, /* over TCP */
    EVENTS_HEARTBEAT_S = 15,
};

struct events *events_open(struct st_h2o_context_t *ctx, struct feed *feed);
void events_close(struct events *events);

/* Answers with a stream of the lines that match the query. Returns false, without an answer, if
 * there are as many streams already as there may be. */
bool events_begin(struct events *events, struct st_h2o_req_t *req, const struct query *query);

/* Keeps alive each stream that was idle for EVENTS_HEARTBEAT_S. Call at least once a second. */
void events_heartbeat(struct events *events);

/* Ends all streams; later streams end at once. */
void events_end(struct events *events);

#endif
