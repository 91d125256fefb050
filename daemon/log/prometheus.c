/* SPDX-License-Identifier: MIT */
#include "daemon/log/prometheus.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    NUMBER_SIZE = 32
};

static void prometheus_put_escaped(struct prometheus *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            buffer_append_text(&out->text, "\\n");
        else if (*text == '\\' || *text == '"')
            buffer_append(&out->text, (char[]){'\\', *text}, 2);
        else
            buffer_append_char(&out->text, *text);
    }
}

void prometheus_family(struct prometheus *out, enum prometheus_type type, const char *name,
                       const char *help)
{
    static const char *const types[] = {
        [PROMETHEUS_COUNTER] = "counter",
        [PROMETHEUS_GAUGE] = "gauge",
        [PROMETHEUS_HISTOGRAM] = "histogram",
    };
    const char *const parts[] = {"# HELP ", name, " ",         help, "\n# TYPE ",
                                 name,      " ",  types[type], "\n"};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        buffer_append_text(&out->text, parts[i]);
    out->name = name;
}

static void prometheus_put_label(struct prometheus *out, const char **between, const char *name,
                                 const char *value)
{
    buffer_append_text(&out->text, *between);
    buffer_append_text(&out->text, name);
    buffer_append_text(&out->text, "=\"");
    prometheus_put_escaped(out, value);
    buffer_append_text(&out->text, "\"");
    *between = ",";
}

static void prometheus_put_sample(struct prometheus *out, const char *suffix,
                                  const struct prometheus_label labels[], const char *le,
                                  const char *value)
{
    const char *between = "{";

    buffer_append_text(&out->text, out->name);
    buffer_append_text(&out->text, suffix);
    for (int i = 0; labels != NULL && i < PROMETHEUS_LABELS && labels[i].name != NULL; i++)
        prometheus_put_label(out, &between, labels[i].name, labels[i].value);
    if (le != NULL)
        prometheus_put_label(out, &between, "le", le);
    buffer_append_text(&out->text, between[0] == '{' ? " " : "} ");
    buffer_append_text(&out->text, value);
    buffer_append_text(&out->text, "\n");
}

static void prometheus_format_seconds(char text[NUMBER_SIZE], int64_t us)
{
    int len = snprintf(text, NUMBER_SIZE, "%s%" PRId64 ".%06" PRId64, us < 0 ? "-" : "",
                       (us < 0 ? -(us / 1000000) : us / 1000000),
                       (us < 0 ? -(us % 1000000) : us % 1000000));

    while (text[len - 1] == '0')
        text[--len] = '\0';
    if (text[len - 1] == '.')
        text[len - 1] = '\0';
}

void prometheus_number(struct prometheus *out, const struct prometheus_label labels[],
                       uint64_t number)
{
    char text[NUMBER_SIZE];

    snprintf(text, sizeof(text), "%" PRIu64, number);
    prometheus_put_sample(out, "", labels, NULL, text);
}

void prometheus_seconds(struct prometheus *out, const struct prometheus_label labels[], int64_t us)
{
    char text[NUMBER_SIZE];

    prometheus_format_seconds(text, us);
    prometheus_put_sample(out, "", labels, NULL, text);
}

void prometheus_histogram(struct prometheus *out, const struct prometheus_label labels[],
                          const int64_t bounds_us[], const uint64_t counts[], uint64_t sum_us)
{
    char le[NUMBER_SIZE] = "", text[NUMBER_SIZE];
    uint64_t count = 0;

    for (int i = 0; le[0] != '+'; i++) {
        count += counts[i];
        snprintf(text, sizeof(text), "%" PRIu64, count);
        if (bounds_us[i] == INT64_MAX)
            snprintf(le, sizeof(le), "+Inf");
        else
            prometheus_format_seconds(le, bounds_us[i]);
        prometheus_put_sample(out, "_bucket", labels, le, text);
    }
    prometheus_format_seconds(text, (int64_t)sum_us);
    prometheus_put_sample(out, "_sum", labels, NULL, text);
    snprintf(text, sizeof(text), "%" PRIu64, count);
    prometheus_put_sample(out, "_count", labels, NULL, text);
}

void prometheus_free(struct prometheus *out)
{
    buffer_free(&out->text);
}
