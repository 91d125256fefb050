/* SPDX-License-Identifier: MIT */
#include "cli/emulator/detail.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "cli/emulator/ledger.h"

struct ledger_endpoint *ledger_endpoint_new(const char *provider, const char *id,
                                            const char *secret, const char *faults)
{
    struct ledger_endpoint *endpoint = calloc(1, sizeof(*endpoint));

    if (endpoint == NULL)
        return NULL;
    endpoint->enabled = true;
    endpoint->created_us = endpoint->updated_us = clock_wall_us();
    if (!ledger_set_text(&endpoint->provider, provider) || !ledger_set_text(&endpoint->id, id) ||
        !ledger_set_text(&endpoint->scheme, provider) || !ledger_set_text(&endpoint->url, "") ||
        !ledger_set_text(&endpoint->secret, secret) ||
        !ledger_set_text(&endpoint->previous_secret, "") ||
        !ledger_set_text(&endpoint->faults, faults) || !ledger_set_text(&endpoint->detail, "{}"))
        ledger_endpoint_free(&endpoint);
    return endpoint;
}

static cJSON *ledger_endpoint_detail_read(const struct ledger_endpoint *endpoint)
{
    return cJSON_Parse(endpoint->detail != NULL ? endpoint->detail : "{}");
}

cJSON *ledger_endpoint_detail_get(const struct ledger_endpoint *endpoint, const char *member)
{
    cJSON *detail = ledger_endpoint_detail_read(endpoint);
    cJSON *value = cJSON_DetachItemFromObjectCaseSensitive(detail, member);

    cJSON_Delete(detail);
    return value;
}

bool ledger_endpoint_detail_set(struct ledger_endpoint *endpoint, const char *member,
                                const cJSON *value)
{
    cJSON *detail = ledger_endpoint_detail_read(endpoint);
    cJSON *copy = value != NULL ? cJSON_Duplicate(value, 1) : NULL;
    char *text = NULL;

    cJSON_DeleteItemFromObjectCaseSensitive(detail, member);
    if (value == NULL || cJSON_AddItemToObject(detail, member, copy))
        text = cJSON_PrintUnformatted(detail);
    else
        cJSON_Delete(copy);
    cJSON_Delete(detail);
    if (text == NULL)
        return false;
    free(endpoint->detail);
    endpoint->detail = text;
    return true;
}

cJSON *ledger_text_array(const char *const *texts)
{
    int count = 0;

    while (texts[count] != NULL)
        count++;
    return cJSON_CreateStringArray(texts, count);
}

cJSON *ledger_endpoint_event_types(const struct ledger_endpoint *endpoint, const char *const *usual)
{
    cJSON *events = ledger_endpoint_detail_get(endpoint, "events");

    if (cJSON_IsArray(events))
        return events;
    cJSON_Delete(events);
    return ledger_text_array(usual);
}

bool ledger_set_text(char **member, const char *text)
{
    char *copy = strdup(text);

    if (copy == NULL)
        return false;
    free(*member);
    *member = copy;
    return true;
}
