/* SPDX-License-Identifier: MIT
 *
 * delivery.h - one delivery in progress, and its log line.
 *
 * Ownership  The delivery owns its event; the source belongs to the policy in force.
 * Threads    One recorder per thread; recorders share log, metrics and feed.
 * Errors     None: on ENOMEM a log line is missing.
 */
#ifndef DAEMON_RECEIVE_DELIVERY_H
#define DAEMON_RECEIVE_DELIVERY_H

#include <hookline.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/json.h"
#include "daemon/base/limit.h"
#include "daemon/hints/diagnose.h"
#include "daemon/http/connection.h"
#include "daemon/http/response.h"

/* ---- receipts */

enum {
    RECEIPT_BYTES = 8,
    RECEIPT_SIZE = 2 * RECEIPT_BYTES + 1, /* lower-case hex and a NUL */
    RECEIPTS_AT_ONCE = 128,
};

/* Random bytes for the next receipts, so that not every delivery needs a system call. One per
 * thread; start with a zeroed struct; call sodium_init() first. */
struct receipts {
    unsigned char random[RECEIPTS_AT_ONCE * RECEIPT_BYTES];
    size_t left;
};

/* Writes a random receipt, which appears in the response and in the log line. */
void receipt_make(struct receipts *receipts, char text[RECEIPT_SIZE]);

/* ---- deliveries */

struct delivery;
struct sources;
struct st_h2o_req_t;

/* Sets source, path, query, sender, receipt and times of *d. d->source is NULL if no source has the
 * path; the query does not matter. Path and query point into the request. */
void delivery_begin(struct delivery *d, struct st_h2o_req_t *req, const struct sources *sources,
                    struct receipts *receipts);

struct destinations;
struct feed;
struct log;
struct metrics;
struct refusal_limit;
struct source;

enum {
    DELIVERY_REFUSALS_PER_SECOND = 50, /* log lines */
    DELIVERY_PATH_MAX = 256,           /* bytes of the path in a line */
};

struct delivery {
    const struct source *source; /* NULL if no source has the path */
    hookline_result result;
    hookline_event *event;      /* of an accepted delivery; owned */
    int code;                   /* an enum hookline_code; 0 if not verified */
    int64_t seq;                /* row number in the store; 0 if not stored */
    bool duplicate;             /* the store has it already */
    bool looked_up;             /* too old: a duplicate if the store has it, else refused */
    hookline_bytes path, query; /* query: NULL base: none */
    hookline_bytes delivery_id; /* the sender's unsigned id; NULL base: none */
    const struct destinations *destinations; /* of the policy; NULL before it is stored */
    uint64_t rearmed;            /* bit per destination that tries a repeated delivery again */
    struct diagnose_result hint; /* likely cause of a refusal */
    struct response response;
    int64_t received_us, begun_us; /* wall clock; monotonic clock */
    size_t bytes;                  /* body size */
    struct client_addr sender;
    char receipt[RECEIPT_SIZE]; /* also in the response */
};

struct delivery_recorder {
    struct log *log;
    struct metrics *metrics;
    struct feed *feed;
    struct refusal_limit *refusal_limit;
    unsigned refused_per_minute; /* per host; 0: no limit */
    bool body;                   /* log the payload, too */
    struct log_limit log_limit;
    struct cpu_share hints;
    struct receipts receipts;
    struct json_writer line;
};

/* Counts the delivery and writes its line to the log and the feed; call log_flush() after. Skips
 * lines about refusals beyond DELIVERY_REFUSALS_PER_SECOND. */
void delivery_record(struct delivery_recorder *recorder, const struct delivery *d, int64_t now_us);

bool delivery_is_accepted(const struct delivery *d);

/* Returns the source's name, "" without a source. */
const char *delivery_source_name(const struct delivery *d);

#endif
