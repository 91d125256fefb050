/* SPDX-License-Identifier: MIT */
#include "cli/ping/asking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t round_trip_call_date(const char *text)
{
    struct tm tm = {0};

    if (text == NULL || strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm) == NULL)
        return 0;
    return (int64_t)timegm(&tm) * 1000000;
}

static void round_trip_call_on_done(void *data, const struct client_result *result)
{
    struct round_trip_call *a = data;

    a->call = NULL;
    a->ended = true;
    a->outcome = result->outcome;
    a->status = result->status;
    a->cut = result->cut;
    a->date_us = round_trip_call_date(result->date);
    snprintf(a->error, sizeof(a->error), "%s", result->error == NULL ? "" : result->error);
    free(a->bytes);
    a->len = result->len;
    a->bytes = malloc(a->len + 1);
    if (a->bytes == NULL)
        a->len = 0;
    else if (a->len > 0)
        memcpy(a->bytes, result->answer, a->len);
}

void round_trip_call_start(struct round_trip_call *a, struct client_calls *calls,
                           const struct client_target *target, const char *method,
                           const char *const *headers)
{
    const struct client_request request = {
        .target = target, .method = method, .headers = headers, .keep_answer = true};

    a->ended = false;
    a->call = client_call_start(calls, &request, round_trip_call_on_done, a);
    if (a->call == NULL) {
        a->ended = true;
        a->outcome = CLIENT_FAILED;
        snprintf(a->error, sizeof(a->error), "out of memory");
    }
}

void round_trip_call_end(struct round_trip_call *a)
{
    if (a->call != NULL)
        client_call_cancel(a->call);
    free(a->bytes);
    *a = (struct round_trip_call){0};
}
