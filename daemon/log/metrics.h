/* SPDX-License-Identifier: MIT
 *
 * metrics.h - counters of received deliveries, by source.
 *
 * Ownership  Names are copied; reasons must be constants. Sources and secrets stay until
 *            metrics_free(), also when a reload removes them, so that counters never decrease.
 * Threads    metrics_source() and metrics_secret() on one; the others on any. Each counter is an
 *            atomic of its own, so a reader may see a delivery in some counters only.
 */
#ifndef DAEMON_LOG_METRICS_H
#define DAEMON_LOG_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/verdict.h"

struct prometheus;
struct metrics;
struct metrics_secret;
struct metrics_source;
struct metrics_destination;

/* These return NULL on ENOMEM. */
struct metrics *metrics_new(void);
void metrics_free(struct metrics **metrics);

/* Returns the counters of a source by name, or of its secret by label; adds missing ones. */
struct metrics_source *metrics_source(struct metrics *metrics, const char *name);
struct metrics_secret *metrics_secret(struct metrics_source *source, const char *label);

/* Returns the counters of a destination by name; adds missing ones. */
struct metrics_destination *metrics_destination(struct metrics *metrics, const char *name);

/* Counts a stored delivery that the destination passed over. `reason` is a constant. */
void metrics_count_passed_over(struct metrics_destination *destination, const char *reason);

struct metrics_delivery {
    struct metrics_source *source; /* NULL: no source has the path */
    struct metrics_secret *secret; /* the secret that matched; NULL: none */
    enum verdict verdict;          /* up to VERDICT_RECEIVED_LAST */
    const char *reason;            /* of a refused or failed delivery */
    bool unreadable;               /* accepted, but its payload could not be read */
    bool unwanted;                 /* stored, and no configured destination takes it */
    size_t bytes;
    int64_t duration_us;
};

void metrics_count(struct metrics *metrics, const struct metrics_delivery *delivery);

void metrics_write(const struct metrics *metrics, struct prometheus *out);

#endif
