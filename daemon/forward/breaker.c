/* SPDX-License-Identifier: MIT */
#include "daemon/forward/breaker.h"

static bool breaker_is_open(const struct breaker *breaker)
{
    return breaker->failures >= BREAKER_FAILURES;
}

unsigned breaker_allows(const struct breaker *breaker, unsigned most, int64_t now_us)
{
    if (now_us < breaker->rests_until_us)
        return 0;
    return breaker_is_open(breaker) ? 1 : most;
}

void breaker_success(struct breaker *breaker)
{
    *breaker = (struct breaker){0};
}

static int64_t breaker_rest_us(unsigned failures)
{
    int64_t rest = BREAKER_FIRST_REST_US;

    while (failures-- > BREAKER_FAILURES && rest < BREAKER_LONGEST_REST_US)
        rest *= 2;
    return rest < BREAKER_LONGEST_REST_US ? rest : BREAKER_LONGEST_REST_US;
}

void breaker_failure(struct breaker *breaker, int64_t retry_after_us, int64_t now_us)
{
    int64_t until_us = 0;

    /* Ignore failures of attempts that started before the pause. */
    if (now_us >= breaker->rests_until_us) {
        breaker->failures++;
        if (breaker_is_open(breaker))
            until_us = now_us + breaker_rest_us(breaker->failures);
    }
    if (retry_after_us > BREAKER_MAX_RETRY_AFTER_US)
        retry_after_us = BREAKER_MAX_RETRY_AFTER_US;
    if (retry_after_us > 0 && now_us + retry_after_us > until_us)
        until_us = now_us + retry_after_us;
    if (until_us > breaker->rests_until_us)
        breaker->rests_until_us = until_us;
}

void breaker_probe(struct breaker *breaker)
{
    breaker->rests_until_us = 0;
}
