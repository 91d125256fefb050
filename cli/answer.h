/* SPDX-License-Identifier: MIT
 *
 * answer.h - one answer of a sink, as it comes and what it means.
 *
 * Ownership  The struct is the caller's, who has sink_answer_start() begin it and sink_answer_end() end it.
 * Threads    The one of the set of calls.
 */
#ifndef CLI_ANSWER_H
#define CLI_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "daemon/http/client.h"
#include "cli/outcome.h"

struct sink_address;

struct sink_answer {
    /* Before it begins. */
    const struct sink_address *address;
    size_t max;                                              /* bytes of it */
    bool any;                                                /* it need not be JSON */
    bool (*hear)(void *data, const char *bytes, size_t len); /* NULL: sink_answer_append() */
    void *data;                                              /* of hear() */
    /* From then on. */
    struct client_call *call; /* NULL when it has ended */
    enum client_outcome outcome;
    int status;
    bool is_json, is_bytes; /* its content type */
    bool odd;               /* it is nothing of hooklined's */
    bool failed;            /* memory was short */
    char error[CLIENT_WHY_SIZE];
    char *bytes; /* with a NUL behind them */
    size_t len, size;
};

/* If it cannot begin it has ended. */
void sink_answer_start(struct sink_answer *answer, struct client_calls *calls, const char *method,
                       const char *target);

/* Keeps the bytes; false if no more of them are of any use. */
bool sink_answer_append(struct sink_answer *answer, const char *bytes, size_t len);

/* Of one that has ended; *json is what it holds, or NULL. `why` has SINK_WHY_SIZE bytes. */
enum outcome sink_answer_conclude(const struct sink_answer *answer, cJSON **json, char *why);

/* It makes no sense that this came. */
enum outcome sink_answer_unexpected(const struct sink_answer *answer, char *why);

/* Gives it up if it is still to come, and all that it holds. */
void sink_answer_end(struct sink_answer *answer);

#endif
