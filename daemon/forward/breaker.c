/* SPDX-License-Identifier: MIT */
#include "daemon/forward/breaker.h"

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
