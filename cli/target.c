/* SPDX-License-Identifier: MIT */
#include "cli/target.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void add(struct target *t, const char *text, size_t len)
{
    if (len >= sizeof(t->text) - t->len) {
        t->too_long = true;
        return;
    }
    memcpy(t->text + t->len, text, len);
    t->len += len;
    t->text[t->len] = '\0';
}

void target_begin(struct target *t, const char *path)
{
    *t = (struct target){.len = 0};
    add(t, path, strlen(path));
}

static void add_value(struct target *t, const char *value)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

    for (; *value != '\0'; value++) {
        char escaped[4];

        if (strchr(plain, *value) != NULL) {
            add(t, value, 1);
        } else {
            snprintf(escaped, sizeof(escaped), "%%%02X", (unsigned char)*value);
            add(t, escaped, 3);
        }
    }
}

void target_add(struct target *t, const char *name, const char *value)
{
    if (value == NULL)
        return;
    add(t, t->asks ? "&" : "?", 1);
    t->asks = true;
    add(t, name, strlen(name));
    add(t, "=", 1);
    add_value(t, value);
}

void target_add_number(struct target *t, const char *name, int64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, value);
    target_add(t, name, text);
}
