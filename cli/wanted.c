/* SPDX-License-Identifier: MIT */
#include "cli/wanted.h"

#include <stddef.h>
#include <string.h>

#include "cli/record.h"

enum wanted_verdict wanted_verdict(const char *word)
{
    static const struct {
        const char *word;
        enum wanted_verdict verdict;
    } verdicts[] = {
        {"stored", WANTED_STORED}, {"duplicate", WANTED_DUPLICATE}, {"refused", WANTED_REFUSED},
        {"failed", WANTED_FAILED}, {"forwarded", WANTED_FORWARDED}, {"retried", WANTED_RETRIED},
        {"parked", WANTED_PARKED},
    };

    for (size_t i = 0; word != NULL && i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
        if (strcmp(word, verdicts[i].word) == 0)
            return verdicts[i].verdict;
    return 0;
}

static bool is(const cJSON *event, const char *key, const char *wanted)
{
    return wanted == NULL || record_is(event, key, wanted);
}

static bool is_type(const cJSON *event, const char *wanted)
{
    size_t len = wanted == NULL ? 0 : strlen(wanted);
    const char *type = record_text(event, "type");

    if (len == 0 || wanted[len - 1] != '*')
        return is(event, "type", wanted);
    return type != NULL && strncmp(type, wanted, len - 1) == 0;
}

bool wanted_matches(const struct wanted *w, const cJSON *event)
{
    return (w->verdicts & wanted_verdict(record_text(event, "verdict"))) != 0 &&
           is(event, "source", w->source) && is_type(event, w->type) && is(event, "id", w->id) &&
           is(event, "receipt", w->receipt);
}
