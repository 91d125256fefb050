/* SPDX-License-Identifier: MIT */
#include "cli/target.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void sink_target_append(struct sink_target *t, const char *text, size_t len)
{
    if (len >= sizeof(t->text) - t->len) {
        t->too_long = true;
        return;
    }
    memcpy(t->text + t->len, text, len);
    t->len += len;
    t->text[t->len] = '\0';
}

void sink_target_begin(struct sink_target *t, const char *path)
{
    *t = (struct sink_target){.len = 0};
    sink_target_append(t, path, strlen(path));
}

static void sink_target_append_value(struct sink_target *t, const char *value)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

    for (; *value != '\0'; value++) {
        char escaped[4];

        if (strchr(plain, *value) != NULL) {
            sink_target_append(t, value, 1);
        } else {
            snprintf(escaped, sizeof(escaped), "%%%02X", (unsigned char)*value);
            sink_target_append(t, escaped, 3);
        }
    }
}

void sink_target_add(struct sink_target *t, const char *name, const char *value)
{
    if (value == NULL)
        return;
    sink_target_append(t, t->asks ? "&" : "?", 1);
    t->asks = true;
    sink_target_append(t, name, strlen(name));
    sink_target_append(t, "=", 1);
    sink_target_append_value(t, value);
}

void sink_target_add_number(struct sink_target *t, const char *name, int64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, value);
    sink_target_add(t, name, text);
}
