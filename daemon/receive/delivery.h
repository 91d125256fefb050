/* SPDX-License-Identifier: MIT
 *
 * delivery.h - one delivery on its way, and the line that is written about it.
 *
 * Threads    A recorder of its own for each thread; they share the log.
 */
#ifndef DAEMON_RECEIVE_DELIVERY_H
#define DAEMON_RECEIVE_DELIVERY_H

#include <hookline.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/json.h"
#include "daemon/base/rate.h"
#include "daemon/hints/diagnose.h"
#include "daemon/http/client_addr.h"
#include "daemon/http/response.h"

/* ---- what an answer and its line have in common, so that who has seen the one finds the
 * other. At random: nobody who has one learns of another.
 *
 * Threads    Each has a struct receipts of its own; libsodium is initialised before. */

enum {
    RECEIPT_BYTES = 8,
    RECEIPT_SIZE = 2 * RECEIPT_BYTES + 1, /* in lower-case hex, and a NUL */
    RECEIPTS_AT_ONCE = 128,
};

/* Randomness for the next ones: the kernel is not asked at each delivery. A zeroed struct has
 * none. */
struct receipts {
    unsigned char random[RECEIPTS_AT_ONCE * RECEIPT_BYTES];
    size_t left;
};

void receipt_make(struct receipts *receipts, char text[RECEIPT_SIZE]);

/* ---- a request as the delivery that it may become: when, from whom, for which source. */

struct delivery;
struct receipts;
struct sources;
struct st_h2o_req_t;

/* Sets *d to what is known before anything is verified; d->source is NULL if no source has the
 * path, whatever its query. */
void delivery_begin(struct delivery *d, struct st_h2o_req_t *req, const struct sources *sources,
                    struct receipts *receipts);

struct feed;
struct log;
struct metrics;
struct refusal_limit;
struct source;

enum {
    DELIVERY_REFUSALS_PER_SECOND = 50 /* that have a line */
};

struct delivery {
    const struct source *source; /* NULL if no source was found */
    hookline_result result;
    hookline_event *event;       /* of an accepted delivery; the delivery's own */
    int code;                    /* an enum hookline_code, 0 if it was not verified */
    int64_t seq;                 /* in the store; 0 if it is not there */
    bool duplicate;              /* of the one that is in the store */
    struct diagnose_result hint; /* behind a refusal, as far as it was looked for */
    struct response response;
    int64_t received_us, begun_us; /* wall clock; monotonic clock */
    size_t bytes;                  /* of the body */
    struct client_addr sender;
    char receipt[RECEIPT_SIZE]; /* in the answer, too */
};

struct delivery_recorder {
    struct log *log;
    struct metrics *metrics;
    struct feed *feed;
    struct refusal_limit *refusal_limit;
    unsigned refused_per_minute; /* by one host; 0: any number */
    bool body;                   /* write the payload, too */
    struct log_limit log_limit;
    struct cpu_share hints;
    struct receipts receipts;
    struct json_writer line;
};

/* Counts the delivery, and hands its line to the log and to who watches the feed; log_flush()
 * writes it. Lines about refusals may be left out when there are too many. */
void delivery_record(struct delivery_recorder *recorder, const struct delivery *d, int64_t now_us);

bool delivery_is_accepted(const struct delivery *d);

/* "" if no source was found. */
const char *delivery_source_name(const struct delivery *d);

#endif
