/* SPDX-License-Identifier: MIT
 *
 * vigil.h - waits for deliveries at a sink until there are enough of them, or the time is over.
 *
 * Nothing that arrives is missed, and nothing told twice: the events are watched first, then the
 * store is searched for what came before that, and again whenever events may have been lost. What
 * was told is remembered by its number.
 */
#ifndef CLI_VIGIL_H
#define CLI_VIGIL_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "cli/outcome.h"
#include "cli/wanted.h"

struct sink;

enum {
    WAIT_COUNT_MAX = 10000
};

struct wait_spec {
    struct wait_filter filter;
    const char
        *since;    /* also what was stored since then, as rfc3339_read_or_ago() gives it; or NULL */
    int64_t count; /* so many, WAIT_COUNT_MAX at most ... */
    int64_t timeout_s;    /* ... for so long */
    bool fail_on_refused; /* a refusal of the wanted source ends it */
    bool fail_on_found;   /* so does one that is wanted */
    bool verbose;         /* say when it begins to watch */
    void (*print)(const struct wait_spec *spec, const cJSON *event); /* each, on its way */
    bool json;                                                       /* for tell() */
};

/* OUTCOME_REFUSED is for deliveries; a sink that refuses to be asked is OUTCOME_TRANSPORT. What
 * went wrong it says by message_print(). */
enum outcome wait_for_deliveries(struct sink *sink, const struct wait_spec *spec);

#endif
