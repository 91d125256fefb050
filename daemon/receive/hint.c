/* SPDX-License-Identifier: MIT */
#include "daemon/receive/hint.h"

#include "daemon/base/clock.h"
#include "daemon/receive/delivery.h"
#include "daemon/receive/pace.h"
#include "daemon/policy/source.h"

static size_t list_others(const struct sources *sources, struct mistake_other *others)
{
    size_t count = sources_count(sources);

    if (count > HINT_OTHERS_MAX)
        count = HINT_OTHERS_MAX;
    for (size_t i = 0; i < count; i++) {
        const struct source *source = sources_at(sources, i);

        others[i] = (struct mistake_other){source->name, source->url, source->verifier};
    }
    return count;
}

struct mistake hint_find(struct pace *pace, const struct sources *sources, const struct delivery *d,
                         const hookline_request *request)
{
    struct mistake_other others[HINT_OTHERS_MAX];
    struct mistake_question question = {
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
    struct mistake found;

    if (request->body.len > HINT_BODY_MAX || !pace_is_rested(pace, began_us))
        return (struct mistake){.kind = MISTAKE_NONE};
    question.others_count = list_others(sources, others);
    found = mistake_find(&question);
    pace_rest(pace, began_us, clock_mono_us(), HINT_REST);
    return found;
}
