/* SPDX-License-Identifier: MIT
 *
 * sink.h - client of the admin API of a running hooklined (the sink), over a Unix socket or
 * HTTP(S).
 *
 * Ownership  sink_open() makes it; sink_close() ends it, before the calls that it uses are freed.
 * Threads    The thread that polls the calls.
 */
#ifndef CLI_SINK_H
#define CLI_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "cli/command.h"
#include "cli/sink_address.h"

/* ---- request target: path and query. Pure. */

enum {
    SINK_TARGET_SIZE = 4096
};

struct sink_target {
    char text[SINK_TARGET_SIZE];
    size_t len;
    bool asks;     /* has a query */
    bool too_long; /* truncated */
};

void sink_target_begin(struct sink_target *target, const char *path);

/* Appends "name=value", percent-encoded; nothing for NULL. */
void sink_target_add(struct sink_target *target, const char *name, const char *value);
void sink_target_add_number(struct sink_target *target, const char *name, int64_t value);

/* ---- sink */

struct client_calls;
struct sink;

/* Opens a sink without connecting. With `calls` NULL the sink creates its own, see sink_poll().
 * Returns NULL, with the reason in `why`, on error; the outcome is OUTCOME_USAGE then. */
struct sink *sink_open(struct client_calls *calls, const struct sink_options *options,
                       char why[SINK_WHY_SIZE]);
void sink_close(struct sink **sink);

/* Polls the calls, see client_calls_poll(). */
void sink_poll(struct sink *sink, int wait_ms);

/* Returns the address as the user wrote it, printable and truncated, for messages. */
const char *sink_name(const struct sink *sink);

/* Sends a request and waits for the answer until `deadline_us` of clock_mono_us(). `target` is a
 * path with query. *answer gets the JSON, also of a refusal, for cJSON_Delete(); *status is 0
 * without an answer. Returns OUTCOME_REFUSED for 4xx, OUTCOME_TIMEOUT, or OUTCOME_TRANSPORT for no
 * answer, 5xx and answers that are not hooklined's; then `why` holds one sentence that names the
 * sink. Queues events that arrive meanwhile. */
enum outcome sink_ask(struct sink *sink, const char *method, const char *target,
                      int64_t deadline_us, int *status, cJSON **answer, char why[SINK_WHY_SIZE]);

/* Like sink_ask() with GET, but returns the raw bytes, for free(); NULL unless OUTCOME_GOOD. */
enum outcome sink_fetch(struct sink *sink, const char *target, int64_t deadline_us, char **bytes,
                        size_t *len, char why[SINK_WHY_SIZE]);

/* Subscribes to the events of one source, or of all with NULL. A refusal at an unknown path belongs
 * to no source. Returns OUTCOME_GOOD once the sink has confirmed: every later event arrives. May be
 * called again, for example after a problem; queued events stay. Other outcomes as sink_ask(). */
enum outcome sink_watch(struct sink *sink, const char *source, int64_t deadline_us,
                        char why[SINK_WHY_SIZE]);

/* Returns the next queued event, for cJSON_Delete(); NULL if the queue is empty. Does not poll. */
cJSON *sink_next_event(struct sink *sink);

/* Returns the reason why the event stream has ended, or NULL while it lasts. Call it after
 * sink_next_event() has returned NULL, which checks for a silent sink. */
const char *sink_watch_problem(const struct sink *sink);

/* Returns the number of events lost since the last sink_watch(), because they were not read in
 * time. */
uint64_t sink_lost_events(const struct sink *sink);

#endif
