/* SPDX-License-Identifier: MIT */
#include "daemon/base/backoff.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

static int64_t breaker_rest_us(unsigned failures)
{
    int64_t rest = BREAKER_FIRST_REST_US;

    while (failures-- > BREAKER_FAILURES && rest < BREAKER_LONGEST_REST_US)
        rest *= 2;
    return rest < BREAKER_LONGEST_REST_US ? rest : BREAKER_LONGEST_REST_US;
}

/* After the pause the pace doubles every BREAKER_DOUBLING_US; between two doublings it grows
 * evenly. */
static int64_t breaker_interval_us(const struct breaker *breaker, int64_t now_us)
{
    int64_t past_us = now_us > breaker->refuses_until_us ? now_us - breaker->refuses_until_us : 0;
    int64_t doublings = past_us / BREAKER_DOUBLING_US;
    int64_t rest_us = past_us % BREAKER_DOUBLING_US;

    if (doublings >= 10 || breaker->interval_us >> doublings < BREAKER_FASTEST_US)
        return 0;
    return (breaker->interval_us >> doublings) * BREAKER_DOUBLING_US /
           (BREAKER_DOUBLING_US + rest_us);
}

void breaker_start(struct breaker *breaker, int64_t now_us)
{
    int64_t interval_us = breaker_interval_us(breaker, now_us);

    breaker->next_us = interval_us == 0 ? 0 : now_us + interval_us;
}

static void breaker_turn_second(struct breaker *breaker, int64_t now_us)
{
    int64_t seconds = (now_us - breaker->second_us) / 1000000;

    if (seconds == 0)
        return;
    breaker->accepted_before = seconds == 1 ? breaker->accepted : 0;
    breaker->accepted = 0;
    breaker->second_us += seconds * 1000000;
}

void breaker_success(struct breaker *breaker, int64_t now_us)
{
    breaker_turn_second(breaker, now_us);
    breaker->accepted++;
    breaker->failures = 0;
    breaker->rests_until_us = 0;
}

void breaker_failure(struct breaker *breaker, int64_t retry_after_us, int64_t now_us)
{
    int64_t until_us = 0;

    /* Ignore failures of attempts that started before the pause. */
    if (!breaker_rests(breaker, now_us)) {
        breaker->failures++;
        if (breaker->failures >= BREAKER_FAILURES)
            until_us = now_us + breaker_rest_us(breaker->failures);
    }
    if (retry_after_us > BREAKER_MAX_RETRY_AFTER_US)
        retry_after_us = BREAKER_MAX_RETRY_AFTER_US;
    if (retry_after_us > 0 && now_us + retry_after_us > until_us)
        until_us = now_us + retry_after_us;
    if (until_us > breaker->rests_until_us)
        breaker->rests_until_us = until_us;
}

static int64_t breaker_min_us(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Three quarters of a pace are four thirds of its interval. */
static void breaker_slow_down(struct breaker *breaker, int64_t now_us)
{
    int64_t interval_us = breaker_interval_us(breaker, now_us);
    unsigned accepted;

    breaker_turn_second(breaker, now_us);
    accepted =
        breaker->accepted > breaker->accepted_before ? breaker->accepted : breaker->accepted_before;
    if (interval_us == 0)
        interval_us = BREAKER_FIRST_PACE_US;
    if (accepted > 0)
        interval_us = breaker_min_us(interval_us, 1000000 / (int64_t)accepted);
    breaker->interval_us = breaker_min_us(interval_us * 4 / 3, BREAKER_SLOWEST_US);
}

void breaker_refusal(struct breaker *breaker, int64_t retry_after_us, bool again, int64_t now_us)
{
    if (!again && !breaker_rests(breaker, now_us))
        breaker_slow_down(breaker, now_us);
    breaker_failure(breaker, retry_after_us, now_us);
    if (breaker->rests_until_us < now_us + BREAKER_FIRST_REST_US)
        breaker->rests_until_us = now_us + BREAKER_FIRST_REST_US;
    breaker->refuses_until_us = breaker->rests_until_us;
}

/* ---- back-off */

const unsigned BACKOFF_STANDARD[] = {5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400};
const unsigned BACKOFF_STANDARD_COUNT = sizeof(BACKOFF_STANDARD) / sizeof(BACKOFF_STANDARD[0]);

int64_t backoff_delay_us(const unsigned *schedule_s, unsigned count, unsigned tries,
                         uint64_t random)
{
    if (tries == 0)
        return 0;
    if (tries > count)
        return -1;
    return (int64_t)(random % ((uint64_t)schedule_s[tries - 1] * 1000000 + 1));
}

int64_t backoff_refused_us(int64_t asked_us, unsigned refusals)
{
    int64_t wait_us = asked_us > BREAKER_FIRST_REST_US ? asked_us : BREAKER_FIRST_REST_US;

    for (unsigned i = 1; i < refusals && i <= 4; i++)
        wait_us *= 2;
    return breaker_min_us(wait_us, (int64_t)BACKOFF_MAX_S * 1000000);
}

static bool backoff_parse_form(const char *text, const char *form, int64_t *seconds)
{
    struct tm read = {0}, again;
    const char *end = strptime(text, form, &read);
    time_t time;

    if (end == NULL || *end != '\0')
        return false;
    /* strptime() accepts February 31 and second 60; timegm() normalizes them to another time. */
    again = read;
    time = timegm(&again);
    if (again.tm_mday != read.tm_mday || again.tm_sec != read.tm_sec)
        return false;
    *seconds = time;
    return true;
}

bool backoff_read_date(const char *text, int64_t *seconds)
{
    static const char *const forms[] = {
        "%a, %d %b %Y %H:%M:%S GMT",
        "%A, %d-%b-%y %H:%M:%S GMT",
        "%a %b %d %H:%M:%S %Y",
    };

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (backoff_parse_form(text, forms[i], seconds))
            return true;
    return false;
}

static int64_t backoff_read_seconds(const char *text)
{
    int64_t seconds = 0;

    if (*text == '\0' || text[strspn(text, "0123456789")] != '\0')
        return -1;
    for (; *text != '\0' && seconds < BACKOFF_MAX_S; text++)
        seconds = 10 * seconds + (*text - '0');
    return seconds < BACKOFF_MAX_S ? seconds : BACKOFF_MAX_S;
}

int64_t backoff_retry_after_s(const char *text, const char *date, int64_t now_s)
{
    int64_t until, seconds = backoff_read_seconds(text);

    if (seconds >= 0 || !backoff_read_date(text, &until))
        return seconds;
    if (date != NULL)
        backoff_read_date(date, &now_s);
    if (until <= now_s)
        return 0;
    return until - now_s < BACKOFF_MAX_S ? until - now_s : BACKOFF_MAX_S;
}
