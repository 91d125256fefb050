/* SPDX-License-Identifier: MIT */
#include "cli/emulator/trouble.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cli/emulator/api_call.h"

enum {
    HUGE_BYTES = 10000000,
    HANGING_MAX = 256 /* more are reset */
};

enum kind {
    KIND_NONE,
    KIND_HTML,
    KIND_HUGE,
    KIND_500,
    KIND_RESET,
    KIND_HANG,
    KINDS
};

static const char *const kind_names[KINDS] = {"none", "html", "huge", "500", "reset", "hang"};

/* In the order in which the beginnings of paths are looked at. */
static const struct {
    const char *name, *path;
} providers[] = {
    {"foil", "/v1/organizations/"},
    {"shodai", "/v0/"},
    {"trulayer", "/v1/webhooks"},
};

enum {
    PROVIDERS = sizeof(providers) / sizeof(providers[0])
};

struct trouble {
    enum kind kinds[PROVIDERS];
    struct api_call *hanging[HANGING_MAX];
    size_t hanging_count;
};

struct trouble *trouble_open(void)
{
    return calloc(1, sizeof(struct trouble));
}

void trouble_close(struct trouble **trouble)
{
    free(*trouble);
    *trouble = NULL;
}

bool trouble_set(struct trouble *trouble, const char *provider, const char *kind)
{
    for (size_t p = 0; p < PROVIDERS; p++) {
        for (enum kind k = KIND_NONE; k < KINDS; k++) {
            if (strcmp(provider, providers[p].name) != 0 || strcmp(kind, kind_names[k]) != 0)
                continue;
            trouble->kinds[p] = k;
            return true;
        }
    }
    return false;
}

static enum kind kind_of(const struct trouble *trouble, const char *path)
{
    for (size_t p = 0; p < PROVIDERS; p++)
        if (strncmp(path, providers[p].path, strlen(providers[p].path)) == 0)
            return trouble->kinds[p];
    return KIND_NONE;
}

static void answer_html(struct api_call *call, int status, const char *text)
{
    api_answer_bytes(call, status, "text/html; charset=utf-8", text, strlen(text));
}

/* It begins as JSON does, so that who reads it all in vain has earned it. */
static void answer_hugely(struct api_call *call)
{
    static const char head[] = "{\"data\":\"", tail[] = "\"}";
    char *text = malloc(HUGE_BYTES);

    if (text == NULL) {
        api_reset(call);
        return;
    }
    memset(text, 'x', HUGE_BYTES);
    memcpy(text, head, sizeof(head) - 1);
    memcpy(text + HUGE_BYTES - (sizeof(tail) - 1), tail, sizeof(tail) - 1);
    api_answer_bytes(call, 200, "application/json", text, HUGE_BYTES);
    free(text);
}

static void hang(struct trouble *trouble, struct api_call *call)
{
    if (trouble->hanging_count == HANGING_MAX)
        api_reset(call);
    else
        trouble->hanging[trouble->hanging_count++] = call;
}

bool trouble_takes(struct trouble *trouble, struct api_call *call)
{
    switch (kind_of(trouble, api_request(call)->path)) {
    case KIND_HTML:
        answer_html(call, 200,
                    "<!doctype html><title>Be right back</title><h1>Be right back</h1>\n");
        return true;
    case KIND_500:
        answer_html(call, 500, "<!doctype html><title>Error</title><h1>Internal error</h1>\n");
        return true;
    case KIND_HUGE:
        answer_hugely(call);
        return true;
    case KIND_RESET:
        api_reset(call);
        return true;
    case KIND_HANG:
        hang(trouble, call);
        return true;
    case KIND_NONE:
    case KINDS:
        break;
    }
    return false;
}

void trouble_stop(struct trouble *trouble)
{
    while (trouble->hanging_count > 0)
        api_reset(trouble->hanging[--trouble->hanging_count]);
}
