/* SPDX-License-Identifier: MIT */
#include "cli/wanted.h"

#include <stddef.h>
#include <string.h>

#include "cli/record.h"

enum event_verdict event_verdict_read(const char *word)
{
    static const struct {
        const char *word;
        enum event_verdict verdict;
    } verdicts[] = {
        {"stored", EVENT_STORED}, {"duplicate", EVENT_DUPLICATE}, {"refused", EVENT_REFUSED},
        {"failed", EVENT_FAILED}, {"forwarded", EVENT_FORWARDED}, {"retried", EVENT_RETRIED},
        {"parked", EVENT_PARKED},
    };

    for (size_t i = 0; word != NULL && i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
        if (strcmp(word, verdicts[i].word) == 0)
            return verdicts[i].verdict;
    return 0;
}

static bool wait_filter_member_is(const cJSON *event, const char *key, const char *wanted)
{
    return wanted == NULL || record_is(event, key, wanted);
}

static bool wait_filter_type_is(const cJSON *event, const char *wanted)
{
    size_t len = wanted == NULL ? 0 : strlen(wanted);
    const char *type = record_text(event, "type");

    if (len == 0 || wanted[len - 1] != '*')
        return wait_filter_member_is(event, "type", wanted);
    return type != NULL && strncmp(type, wanted, len - 1) == 0;
}

bool wait_filter_matches(const struct wait_filter *w, const cJSON *event)
{
    return (w->verdicts & event_verdict_read(record_text(event, "verdict"))) != 0 &&
           wait_filter_member_is(event, "source", w->source) &&
           wait_filter_type_is(event, w->type) && wait_filter_member_is(event, "id", w->id) &&
           wait_filter_member_is(event, "receipt", w->receipt);
}
