/* SPDX-License-Identifier: MIT */
#include "daemon/log/metrics.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <hookline.h>

#include "daemon/log/prometheus.h"

enum {
    METRICS_REASONS = 48, /* more than exist */
    METRICS_BUCKETS = 14,
    METRICS_PASSES = 4, /* more than reasons exist */
};

static const int64_t metrics_bounds_us[METRICS_BUCKETS] = {
    250,   500,    1000,   2500,   5000,    10000,    25000,
    50000, 100000, 250000, 500000, 1000000, 10000000, INT64_MAX,
};

typedef atomic_uint_fast64_t counter;

struct metrics_reason {
    _Atomic(const char *) name; /* set once */
    counter count;
};

struct metrics_secret {
    struct metrics_secret *_Atomic next;
    char *label;
    counter used;
};

struct metrics_source {
    struct metrics_source *_Atomic next;
    char *name;
    counter verdicts[VERDICT_RECEIVED_LAST + 1], bytes, unreadable, unwanted;
    counter buckets[METRICS_BUCKETS], sum_us;
    struct metrics_reason reasons[METRICS_REASONS];
    struct metrics_secret *_Atomic secrets;
};

struct metrics_destination {
    struct metrics_destination *_Atomic next;
    char *name;
    struct metrics_reason passed_over[METRICS_PASSES];
};

/* Lists only grow, at the end, so readers need no lock. */
struct metrics {
    struct metrics_source
        *_Atomic sources; /* the first one, "", counts requests without a source */
    struct metrics_destination *_Atomic destinations;
};

/* Claims the next free slot on first use. Returns NULL if all slots are taken. */
static struct metrics_reason *metrics_find_reason(struct metrics_reason *reasons, size_t count,
                                                  const char *name)
{
    for (struct metrics_reason *r = reasons; r < reasons + count; r++) {
        const char *known = NULL;

        if (atomic_compare_exchange_strong(&r->name, &known, name) || strcmp(known, name) == 0)
            return r;
    }
    return NULL;
}

/* Presets the counters of senders' mistakes and guards to 0: Prometheus misses the first increase
 * of a series that starts at 1. */
static void metrics_preset_reasons(struct metrics_source *source)
{
    static const char *const guards[] = {"address_not_allowed", "rate_limited",
                                         "too_many_refusals"};

    for (int code = HOOKLINE_MISSING_HEADER; code >= HOOKLINE_BAD_ID; code--)
        metrics_find_reason(source->reasons, METRICS_REASONS, hookline_code_name(code));
    for (size_t i = 0; i < sizeof(guards) / sizeof(guards[0]); i++)
        metrics_find_reason(source->reasons, METRICS_REASONS, guards[i]);
}

static struct metrics_source *metrics_add_source(struct metrics_source *_Atomic *end,
                                                 const char *name)
{
    struct metrics_source *source = calloc(1, sizeof(*source));

    if (source != NULL && (source->name = strdup(name)) == NULL) {
        free(source);
        source = NULL;
    }
    if (source != NULL)
        atomic_store(end, source);
    return source;
}

struct metrics *metrics_new(void)
{
    struct metrics *m = calloc(1, sizeof(*m));

    if (m != NULL && metrics_add_source(&m->sources, "") == NULL)
        metrics_free(&m);
    return m;
}

static void metrics_free_source(struct metrics_source *source)
{
    for (struct metrics_secret *s = source->secrets, *next; s != NULL; s = next) {
        next = s->next;
        free(s->label);
        free(s);
    }
    free(source->name);
    free(source);
}

void metrics_free(struct metrics **metrics)
{
    struct metrics_source *source = *metrics == NULL ? NULL : (*metrics)->sources;

    for (struct metrics_source *next; source != NULL; source = next) {
        next = source->next;
        metrics_free_source(source);
    }
    for (struct metrics_destination *d = *metrics == NULL ? NULL : (*metrics)->destinations, *next;
         d != NULL; d = next) {
        next = d->next;
        free(d->name);
        free(d);
    }
    free(*metrics);
    *metrics = NULL;
}

struct metrics_source *metrics_source(struct metrics *m, const char *name)
{
    struct metrics_source *source = m->sources;

    while (strcmp(source->name, name) != 0) {
        if (source->next == NULL) {
            if ((source = metrics_add_source(&source->next, name)) != NULL)
                metrics_preset_reasons(source);
            return source;
        }
        source = source->next;
    }
    return source;
}

struct metrics_destination *metrics_destination(struct metrics *m, const char *name)
{
    static const char *const passes[] = {"source", "type", "no_type"};
    struct metrics_destination *_Atomic *end = &m->destinations;
    struct metrics_destination *destination;

    for (; (destination = *end) != NULL; end = &destination->next)
        if (strcmp(destination->name, name) == 0)
            return destination;
    if ((destination = calloc(1, sizeof(*destination))) == NULL ||
        (destination->name = strdup(name)) == NULL) {
        free(destination);
        return NULL;
    }
    for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]); i++)
        metrics_find_reason(destination->passed_over, METRICS_PASSES, passes[i]);
    atomic_store(end, destination);
    return destination;
}

struct metrics_secret *metrics_secret(struct metrics_source *source, const char *label)
{
    struct metrics_secret *_Atomic *end = &source->secrets;
    struct metrics_secret *secret;

    for (; (secret = *end) != NULL; end = &secret->next)
        if (strcmp(secret->label, label) == 0)
            return secret;
    if ((secret = calloc(1, sizeof(*secret))) == NULL || (secret->label = strdup(label)) == NULL) {
        free(secret);
        return NULL;
    }
    atomic_store(end, secret);
    return secret;
}

static void metrics_counter_add(counter *to, uint64_t number)
{
    atomic_fetch_add_explicit(to, number, memory_order_relaxed);
}

static uint64_t metrics_counter_value(const counter *of)
{
    return atomic_load_explicit(of, memory_order_relaxed);
}

static void metrics_count_reason(struct metrics_reason *reasons, size_t count, const char *name)
{
    struct metrics_reason *reason = metrics_find_reason(reasons, count, name);

    if (reason != NULL)
        metrics_counter_add(&reason->count, 1);
}

void metrics_count_passed_over(struct metrics_destination *destination, const char *reason)
{
    metrics_count_reason(destination->passed_over, METRICS_PASSES, reason);
}

void metrics_count(struct metrics *m, const struct metrics_delivery *d)
{
    struct metrics_source *source = d->source == NULL ? m->sources : d->source;
    size_t bucket = 0;

    while (d->duration_us > metrics_bounds_us[bucket])
        bucket++;
    metrics_counter_add(&source->verdicts[d->verdict], 1);
    metrics_counter_add(&source->bytes, d->bytes);
    metrics_counter_add(&source->buckets[bucket], 1);
    metrics_counter_add(&source->sum_us, d->duration_us < 0 ? 0 : (uint64_t)d->duration_us);
    if (d->secret != NULL)
        metrics_counter_add(&d->secret->used, 1);
    if (d->unreadable && d->verdict == VERDICT_STORED)
        metrics_counter_add(&source->unreadable, 1);
    if (d->unwanted)
        metrics_counter_add(&source->unwanted, 1);
    if (d->verdict == VERDICT_REFUSED || d->verdict == VERDICT_FAILED)
        metrics_count_reason(source->reasons, METRICS_REASONS, d->reason);
}

static void metrics_write_verdicts(const struct metrics *m, struct prometheus *out)
{
    prometheus_family(out, PROMETHEUS_COUNTER, "hookline_deliveries_total",
                      "Deliveries received, by verdict.");
    for (const struct metrics_source *s = m->sources; s != NULL; s = s->next)
        for (enum verdict v = VERDICT_NONE + 1; v <= VERDICT_RECEIVED_LAST; v++)
            prometheus_number(
                out, (struct prometheus_label[]){{"source", s->name}, {"verdict", verdict_word(v)}},
                metrics_counter_value(&s->verdicts[v]));
}

static void metrics_write_reasons(const struct metrics *m, struct prometheus *out)
{
    prometheus_family(out, PROMETHEUS_COUNTER, "hookline_refusals_total",
                      "Deliveries refused or failed, by reason.");
    for (const struct metrics_source *s = m->sources; s != NULL; s = s->next)
        for (const struct metrics_reason *r = s->reasons;
             r < s->reasons + METRICS_REASONS && atomic_load(&r->name) != NULL; r++)
            prometheus_number(
                out,
                (struct prometheus_label[]){{"source", s->name}, {"reason", atomic_load(&r->name)}},
                metrics_counter_value(&r->count));
}

static void metrics_write_durations(const struct metrics *m, struct prometheus *out)
{
    prometheus_family(out, PROMETHEUS_HISTOGRAM, "hookline_request_duration_seconds",
                      "Time from the last byte of a request to its verdict.");
    for (const struct metrics_source *s = m->sources; s != NULL; s = s->next) {
        uint64_t counts[METRICS_BUCKETS];

        for (size_t b = 0; b < METRICS_BUCKETS; b++)
            counts[b] = metrics_counter_value(&s->buckets[b]);
        prometheus_histogram(out, (struct prometheus_label[]){{"source", s->name}, {NULL, NULL}},
                             metrics_bounds_us, counts, metrics_counter_value(&s->sum_us));
    }
}

static void metrics_write_secrets(const struct metrics *m, struct prometheus *out)
{
    prometheus_family(out, PROMETHEUS_COUNTER, "hookline_secret_used_total",
                      "Deliveries that this secret verified.");
    for (const struct metrics_source *s = m->sources; s != NULL; s = s->next)
        for (const struct metrics_secret *one = s->secrets; one != NULL; one = one->next)
            prometheus_number(
                out, (struct prometheus_label[]){{"source", s->name}, {"secret", one->label}},
                metrics_counter_value(&one->used));
}

static void metrics_write_passed_over(const struct metrics *m, struct prometheus *out)
{
    prometheus_family(out, PROMETHEUS_COUNTER, "hookline_passed_over_total",
                      "Deliveries stored that a destination does not take, by reason.");
    for (const struct metrics_destination *d = m->destinations; d != NULL; d = d->next)
        for (const struct metrics_reason *r = d->passed_over;
             r < d->passed_over + METRICS_PASSES && atomic_load(&r->name) != NULL; r++)
            prometheus_number(out,
                              (struct prometheus_label[]){{"destination", d->name},
                                                          {"reason", atomic_load(&r->name)}},
                              metrics_counter_value(&r->count));
}

void metrics_write(const struct metrics *m, struct prometheus *out)
{
    metrics_write_verdicts(m, out);
    metrics_write_reasons(m, out);
    prometheus_family(out, PROMETHEUS_COUNTER, "hookline_received_bytes_total",
                      "Body bytes received.");
    for (const struct metrics_source *s = m->sources; s != NULL; s = s->next)
        prometheus_number(out, (struct prometheus_label[]){{"source", s->name}, {NULL, NULL}},
                          metrics_counter_value(&s->bytes));
    prometheus_family(out, PROMETHEUS_COUNTER, "hookline_unreadable_total",
                      "Deliveries stored although their payload is not the expected JSON.");
    for (const struct metrics_source *s = m->sources; s != NULL; s = s->next)
        prometheus_number(out, (struct prometheus_label[]){{"source", s->name}, {NULL, NULL}},
                          metrics_counter_value(&s->unreadable));
    prometheus_family(out, PROMETHEUS_COUNTER, "hookline_unwanted_total",
                      "Deliveries stored that no destination takes.");
    for (const struct metrics_source *s = m->sources; s != NULL; s = s->next)
        prometheus_number(out, (struct prometheus_label[]){{"source", s->name}, {NULL, NULL}},
                          metrics_counter_value(&s->unwanted));
    metrics_write_passed_over(m, out);
    metrics_write_durations(m, out);
    metrics_write_secrets(m, out);
}
