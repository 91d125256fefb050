/* SPDX-License-Identifier: MIT
 *
 * answer.h - one answer of a sink, as it comes and what it means.
 *
 * Ownership  The struct is the caller's, who has answer_start() begin it and answer_end() end it.
 * Threads    The one of the set of calls.
 */
#ifndef CLI_ANSWER_H
#define CLI_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "daemon/http/call.h"
#include "cli/outcome.h"

struct place;

struct answer {
    /* Before it begins. */
    const struct place *place;
    size_t max;                                              /* bytes of it */
    bool any;                                                /* it need not be JSON */
    bool (*hear)(void *data, const char *bytes, size_t len); /* NULL: answer_hear() */
    void *data;                                              /* of hear() */
    /* From then on. */
    struct call *call; /* NULL when it has ended */
    enum call_outcome outcome;
    int status;
    bool is_json, is_bytes; /* its content type */
    bool odd;               /* it is nothing of hooklined's */
    bool failed;            /* memory was short */
    char error[CALL_WHY_SIZE];
    char *bytes; /* with a NUL behind them */
    size_t len, size;
};

/* If it cannot begin it has ended. */
void answer_start(struct answer *answer, struct call_set *calls, const char *method,
                  const char *target);

/* Keeps the bytes; false if no more of them are of any use. */
bool answer_hear(struct answer *answer, const char *bytes, size_t len);

/* Of one that has ended; *json is what it holds, or NULL. `why` has SINK_WHY_SIZE bytes. */
enum outcome answer_conclude(const struct answer *answer, cJSON **json, char *why);

/* It makes no sense that this came. */
enum outcome answer_complain(const struct answer *answer, char *why);

/* Gives it up if it is still to come, and all that it holds. */
void answer_end(struct answer *answer);

#endif
