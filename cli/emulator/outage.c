/* SPDX-License-Identifier: MIT */
#include "cli/emulator/outage.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cli/emulator/api.h"

enum {
    HUGE_BYTES = 10000000,
    HANGING_MAX = 256 /* more are reset */
};

enum outage_kind {
    OUTAGE_NONE,
    OUTAGE_HTML,
    OUTAGE_HUGE,
    OUTAGE_500,
    OUTAGE_RESET,
    OUTAGE_HANG,
    OUTAGE_KINDS
};

static const char *const outage_kind_names[OUTAGE_KINDS] = {"none", "html",  "huge",
                                                            "500",  "reset", "hang"};

static const struct {
    const char *name, *path;
    bool by_key; /* the key tells which of those with this path it is */
} outage_providers[] = {
    {"foil", "/v1/organizations/", true},
    {"tripwire", "/v1/organizations/", true},
    {"shodai", "/v0/", false},
    {"trulayer", "/v1/webhooks", false},
};

enum {
    OUTAGE_PROVIDERS = sizeof(outage_providers) / sizeof(outage_providers[0])
};

struct outage {
    enum outage_kind kinds[OUTAGE_PROVIDERS];
    struct api_call *hanging[HANGING_MAX];
    size_t hanging_count;
};

struct outage *outage_open(void)
{
    return calloc(1, sizeof(struct outage));
}

void outage_close(struct outage **outage)
{
    free(*outage);
    *outage = NULL;
}

bool outage_set(struct outage *outage, const char *provider, const char *kind)
{
    for (size_t p = 0; p < OUTAGE_PROVIDERS; p++) {
        for (enum outage_kind k = OUTAGE_NONE; k < OUTAGE_KINDS; k++) {
            if (strcmp(provider, outage_providers[p].name) != 0 ||
                strcmp(kind, outage_kind_names[k]) != 0)
                continue;
            outage->kinds[p] = k;
            return true;
        }
    }
    return false;
}

static enum outage_kind outage_kind_of(const struct outage *outage, const char *path,
                                       const char *of_key)
{
    for (size_t p = 0; p < OUTAGE_PROVIDERS; p++)
        if (strncmp(path, outage_providers[p].path, strlen(outage_providers[p].path)) == 0 &&
            (!outage_providers[p].by_key || strcmp(outage_providers[p].name, of_key) == 0))
            return outage->kinds[p];
    return OUTAGE_NONE;
}

static void outage_answer_html(struct api_call *call, int status, const char *text)
{
    api_answer_bytes(call, status, "text/html; charset=utf-8", text, strlen(text));
}

/* Begins like JSON, so that a client must limit its reading to notice. */
static void outage_answer_huge(struct api_call *call)
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

static void outage_hang(struct outage *outage, struct api_call *call)
{
    if (outage->hanging_count == HANGING_MAX)
        api_reset(call);
    else
        outage->hanging[outage->hanging_count++] = call;
}

bool outage_handle(struct outage *outage, struct api_call *call, const char *of_key)
{
    switch (outage_kind_of(outage, api_request(call)->path, of_key)) {
    case OUTAGE_HTML:
        outage_answer_html(call, 200,
                           "<!doctype html><title>Be right back</title><h1>Be right back</h1>\n");
        return true;
    case OUTAGE_500:
        outage_answer_html(call, 500,
                           "<!doctype html><title>Error</title><h1>Internal error</h1>\n");
        return true;
    case OUTAGE_HUGE:
        outage_answer_huge(call);
        return true;
    case OUTAGE_RESET:
        api_reset(call);
        return true;
    case OUTAGE_HANG:
        outage_hang(outage, call);
        return true;
    case OUTAGE_NONE:
    case OUTAGE_KINDS:
        break;
    }
    return false;
}

void outage_stop(struct outage *outage)
{
    while (outage->hanging_count > 0)
        api_reset(outage->hanging[--outage->hanging_count]);
}
