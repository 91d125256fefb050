/* SPDX-License-Identifier: MIT */
#include "daemon/receive/hint.h"

#include "daemon/base/clock.h"
#include "daemon/base/rate.h"
#include "daemon/policy/source.h"
#include "daemon/receive/delivery.h"

static size_t hint_list_others(const struct sources *sources, struct diagnose_other *others)
{
    size_t count = sources_count(sources);

    if (count > HINT_OTHERS_MAX)
        count = HINT_OTHERS_MAX;
    for (size_t i = 0; i < count; i++) {
        const struct source *source = sources_at(sources, i);

        others[i] = (struct diagnose_other){source->name, source->url, source->verifier};
    }
    return count;
}

struct diagnose_result hint_find(struct cpu_share *cpu_share, const struct sources *sources,
                                 const struct delivery *d, const hookline_request *request)
{
    struct diagnose_other others[HINT_OTHERS_MAX];
    struct diagnose_question question = {
        .verifier = d->source->verifier,
        .request = request,
        .now = d->received_us / 1000000,
        .result = d->result,
        .description = d->source->description,
        .secrets = (const char *const *)d->source->secrets,
        .secrets_count = d->source->secrets_count,
        .others = others,
    };
    int64_t began_us = clock_mono_us();
    struct diagnose_result found;

    if (request->body.len > HINT_BODY_MAX || !cpu_share_is_rested(cpu_share, began_us))
        return (struct diagnose_result){.kind = DIAGNOSE_NONE};
    question.others_count = hint_list_others(sources, others);
    found = diagnose_find(&question);
    cpu_share_rest(cpu_share, began_us, clock_mono_us(), HINT_REST);
    return found;
}
