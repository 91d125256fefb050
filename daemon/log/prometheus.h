/* SPDX-License-Identifier: MIT
 *
 * prometheus.h - writer of the Prometheus text format, version 0.0.4.
 *
 * Values are integers. Times are microseconds here and seconds in the text.
 *
 * Ownership  The struct owns its buffer, prometheus_free() frees it; a zeroed struct is empty.
 * Threads    One owner.
 * Errors     Sticky: `text.failure` is set if any write ran out of memory.
 */
#ifndef DAEMON_LOG_PROMETHEUS_H
#define DAEMON_LOG_PROMETHEUS_H

#include <stdint.h>

#include "daemon/base/buffer.h"

struct prometheus {
    struct buffer text;
    const char *name; /* of the current family */
};

enum prometheus_type {
    PROMETHEUS_COUNTER,
    PROMETHEUS_GAUGE,
    PROMETHEUS_HISTOGRAM,
};

enum {
    PROMETHEUS_LABELS = 2
};

/* A list ends after PROMETHEUS_LABELS labels or with a NULL name. */
struct prometheus_label {
    const char *name, *value;
};

/* Starts a family; the following samples belong to it. */
void prometheus_family(struct prometheus *out, enum prometheus_type type, const char *name,
                       const char *help);

void prometheus_number(struct prometheus *out, const struct prometheus_label labels[],
                       uint64_t number);
void prometheus_seconds(struct prometheus *out, const struct prometheus_label labels[], int64_t us);

/* Writes a histogram. counts[i] observations are within bounds_us[i] and above bounds_us[i - 1];
 * the last bound is INT64_MAX. */
void prometheus_histogram(struct prometheus *out, const struct prometheus_label labels[],
                          const int64_t bounds_us[], const uint64_t counts[], uint64_t sum_us);

void prometheus_free(struct prometheus *out);

#endif
