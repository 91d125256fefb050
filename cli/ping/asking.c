/* SPDX-License-Identifier: MIT */
#include "cli/ping/asking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t date_of(const char *text)
{
    struct tm tm = {0};

    if (text == NULL || strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm) == NULL)
        return 0;
    return (int64_t)timegm(&tm) * 1000000;
}

static void on_done(void *data, const struct call_result *result)
{
    struct asking *a = data;

    a->call = NULL;
    a->ended = true;
    a->outcome = result->outcome;
    a->status = result->status;
    a->cut = result->cut;
    a->date_us = date_of(result->date);
    snprintf(a->error, sizeof(a->error), "%s", result->error == NULL ? "" : result->error);
    free(a->bytes);
    a->len = result->len;
    a->bytes = malloc(a->len + 1);
    if (a->bytes == NULL)
        a->len = 0;
    else if (a->len > 0)
        memcpy(a->bytes, result->answer, a->len);
}

void asking_begin(struct asking *a, struct call_set *calls, const struct call_target *target,
                  const char *method, const char *const *headers)
{
    const struct call_request request = {
        .target = target, .method = method, .headers = headers, .keep_answer = true};

    a->ended = false;
    a->call = call_start(calls, &request, on_done, a);
    if (a->call == NULL) {
        a->ended = true;
        a->outcome = CALL_FAILED;
        snprintf(a->error, sizeof(a->error), "out of memory");
    }
}

void asking_end(struct asking *a)
{
    if (a->call != NULL)
        call_cancel(a->call);
    free(a->bytes);
    *a = (struct asking){0};
}
