/* SPDX-License-Identifier: MIT
 *
 * sink.h - the administrator's address of a hooklined, asked over a Unix socket or HTTP(S).
 *
 * Ownership  sink_open() makes it, sink_close() ends it, before the set of calls that it uses.
 * Threads    The one of its set of calls.
 */
#ifndef CLI_SINK_H
#define CLI_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "cli/outcome.h"
#include "cli/sink_address.h"

/* ---- the path and the query of a request, put together with values from outside. Pure. */

enum {
    SINK_TARGET_SIZE = 4096
};

struct sink_target {
    char text[SINK_TARGET_SIZE];
    size_t len;
    bool asks;     /* it has a query */
    bool too_long; /* something did not fit */
};

void sink_target_begin(struct sink_target *target, const char *path);

/* Adds "name=value" with %XX for what needs it; nothing for NULL. */
void sink_target_add(struct sink_target *target, const char *name, const char *value);
void sink_target_add_number(struct sink_target *target, const char *name, int64_t value);

struct client_calls;
struct sink;

/* Connects to nothing yet. Without `calls` it has a set of its own, see sink_poll(). NULL, and in
 * `why` what is wrong: OUTCOME_USAGE. */
struct sink *sink_open(struct client_calls *calls, const struct sink_options *options,
                       char why[SINK_WHY_SIZE]);
void sink_close(struct sink **sink);

/* Goes on with what is under way, as client_calls_poll() does. */
void sink_poll(struct sink *sink, int wait_ms);

/* As the user wrote it, for messages: without control characters, and cut if it is very long. */
const char *sink_name(const struct sink *sink);

/* Asks and waits for the answer, until `deadline_us` of clock_mono_us() at the latest. `target` is
 * a path with its query. *answer is the JSON, for cJSON_Delete(), also if the sink refuses: then,
 * as for all but OUTCOME_GOOD, `why` holds one sentence that names the sink. *status is 0 if none
 * came. OUTCOME_REFUSED: the status is 4xx; OUTCOME_TRANSPORT: nobody answers, or no JSON of
 * hooklined's, or its status is 5xx; and OUTCOME_TIMEOUT. Events that come meanwhile are kept. */
enum outcome sink_ask(struct sink *sink, const char *method, const char *target,
                      int64_t deadline_us, int *status, cJSON **answer, char why[SINK_WHY_SIZE]);

/* Like sink_ask() with GET, for the bytes as they came; free() is the caller's, also of the NULL of
 * all but OUTCOME_GOOD. */
enum outcome sink_fetch(struct sink *sink, const char *target, int64_t deadline_us, char **bytes,
                        size_t *len, char why[SINK_WHY_SIZE]);

/* Begins to watch the events, of one source or, with NULL, of all; a refusal at a path that no
 * source has is of none. When it returns OUTCOME_GOOD the sink has confirmed: no event from now on
 * is missed. It may be called again, above all when there is a problem: what has come and was not
 * taken yet is still there then. Else as sink_ask(). */
enum outcome sink_watch(struct sink *sink, const char *source, int64_t deadline_us,
                        char why[SINK_WHY_SIZE]);

/* The next event that has come while calls were polled, for cJSON_Delete(); NULL if there is none
 * yet. */
cJSON *sink_next_event(struct sink *sink);

/* Why no more events will come than those that sink_next_event() still has, or NULL if they may. To
 * be asked after sink_next_event(), which finds out whether the sink has fallen silent. */
const char *sink_watch_problem(const struct sink *sink);

/* How many events were lost since it last began to watch, because nobody took them in time. */
uint64_t sink_lost_events(const struct sink *sink);

#endif
