/* SPDX-License-Identifier: MIT */
#include "cli/emulator/foil_events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/iso_time.h"
#include "cli/emulator/emulator.h"
#include "cli/emulator/foil_answer.h"
#include "cli/emulator/form.h"
#include "cli/emulator/ledger.h"
#include "cli/emulator/pattern.h"
#include "cli/emulator/route.h"

enum {
    EVENTS_LIMIT_DEFAULT = 50,
    PARAMETER_SIZE = 128
};

struct foil_event_filter {
    char endpoint_id[PARAMETER_SIZE], type[PARAMETER_SIZE]; /* "" for any */
    int limit;
};

/* What a live event is about is in its data; a test is about its endpoint. */
static cJSON *foil_event_subject(const cJSON *data)
{
    static const struct {
        const char *member, *type;
    } places[] = {{"endpoint", "webhook_endpoint"}, {"session", "session"}};
    const char *type = "gate_session";
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(data, "gate_session_id");
    cJSON *subject = cJSON_CreateObject();

    for (size_t i = 0; !cJSON_IsString(id) && i < sizeof(places) / sizeof(places[0]); i++) {
        id = cJSON_GetObjectItemCaseSensitive(
            cJSON_GetObjectItemCaseSensitive(data, places[i].member), "id");
        type = places[i].type;
    }
    cJSON_AddStringToObject(subject, "type", type);
    cJSON_AddStringToObject(subject, "id", cJSON_IsString(id) ? id->valuestring : "");
    return subject;
}

static cJSON *foil_event_deliveries(struct ledger *ledger, const char *event_id)
{
    cJSON *array = cJSON_CreateArray();
    struct ledger_delivery *delivery;

    for (size_t i = 0; (delivery = ledger_delivery_at(ledger, "foil", event_id, i)) != NULL; i++) {
        cJSON_AddItemToArray(array, foil_delivery_json(delivery));
        ledger_delivery_free(&delivery);
    }
    return array;
}

static cJSON *foil_event_json(struct ledger *ledger, const struct ledger_event *event)
{
    cJSON *object = cJSON_CreateObject(), *body = cJSON_Parse(event->body);
    cJSON *data = cJSON_DetachItemFromObjectCaseSensitive(body, "data");
    char created[RFC3339_SIZE];

    if (!cJSON_IsObject(data)) {
        cJSON_Delete(data);
        data = cJSON_CreateObject();
    }
    rfc3339_write(created, event->created_us);
    cJSON_AddStringToObject(object, "object", "event");
    cJSON_AddStringToObject(object, "id", event->id);
    cJSON_AddStringToObject(object, "type", event->type);
    cJSON_AddItemToObject(object, "subject", foil_event_subject(data));
    cJSON_AddItemToObject(object, "data", data);
    cJSON_AddItemToObject(object, "webhook_deliveries", foil_event_deliveries(ledger, event->id));
    cJSON_AddStringToObject(object, "created_at", created);
    cJSON_Delete(body);
    return object;
}

static bool foil_read_limit(const char *text, int *limit)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || number < 1 || number > FOIL_LIMIT_MAX)
        return false;
    *limit = (int)number;
    return true;
}

/* A parameter as a member of a form, so that it is refused like one. */
static bool foil_refuse_parameter(struct api_context *ctx, const struct form_field *field,
                                  enum form_issue issue, const char *expected, const char *received)
{
    struct form_problems problems = {.count = 1};
    struct form_problem *problem = &problems.items[0];
    cJSON *value = cJSON_CreateString(received);

    *problem = (struct form_problem){.issue = issue, .field = field, .received = value};
    snprintf(problem->name, sizeof(problem->name), "%s", field->name);
    snprintf(problem->expected, sizeof(problem->expected), "%s", expected);
    foil_refuse_form(ctx->call, &problems, "events");
    cJSON_Delete(value);
    return false;
}

static bool foil_is_event_type(const char *text)
{
    for (size_t i = 0; foil_delivery_event_types[i] != NULL; i++)
        if (strcmp(text, foil_delivery_event_types[i]) == 0)
            return true;
    return false;
}

/* False: it has been refused. */
static bool foil_read_event_filter(struct api_context *ctx, struct foil_event_filter *filter)
{
    static const struct form_field endpoint = {.name = "endpoint_id", .kind = FORM_TEXT},
                                   limit = {.name = "limit", .kind = FORM_TEXT};
    static const struct form_field type = {
        .name = "type", .kind = FORM_TEXT, .allowed = foil_delivery_event_types};
    const struct api_request *request = api_request(ctx->call);
    char number[PARAMETER_SIZE];

    filter->limit = EVENTS_LIMIT_DEFAULT;
    if (!api_query_parameter(request, "endpoint_id", filter->endpoint_id, PARAMETER_SIZE) ||
        (filter->endpoint_id[0] != '\0' && !id_is_hex(filter->endpoint_id, "we_")))
        return foil_refuse_parameter(ctx, &endpoint, FORM_WRONG_TYPE, "^we_[0-9a-f]{32}$",
                                     filter->endpoint_id);
    if (!api_query_parameter(request, "type", filter->type, PARAMETER_SIZE) ||
        (filter->type[0] != '\0' && !foil_is_event_type(filter->type)))
        return foil_refuse_parameter(ctx, &type, FORM_NOT_ALLOWED, "one of the allowed values",
                                     filter->type);
    if (!api_query_parameter(request, "limit", number, PARAMETER_SIZE) ||
        (number[0] != '\0' && !foil_read_limit(number, &filter->limit)))
        return foil_refuse_parameter(ctx, &limit, FORM_WRONG_TYPE, "an integer from 1 to 200",
                                     number);
    return true;
}

struct foil_event_list {
    struct ledger *ledger;
    cJSON *items;
    int limit;
    bool more;
};

static void foil_event_list_add(void *data, const struct ledger_event *event)
{
    struct foil_event_list *list = data;

    list->more = cJSON_GetArraySize(list->items) == list->limit;
    if (!list->more)
        cJSON_AddItemToArray(list->items, foil_event_json(list->ledger, event));
}

void foil_list_events(struct api_context *ctx)
{
    struct ledger *ledger = ctx->emulator->ledger;
    struct foil_event_list list = {.ledger = ledger};
    struct ledger_event_filter wanted = {.provider = "foil"};
    struct foil_event_filter filter;

    if (!foil_read_event_filter(ctx, &filter))
        return;
    wanted.type = filter.type;
    wanted.endpoint_id = filter.endpoint_id;
    wanted.limit = (size_t)filter.limit + 1; /* whether there are more */
    list.limit = filter.limit;
    list.items = cJSON_CreateArray();
    if (ledger_each_event(ledger, &wanted, foil_event_list_add, &list)) {
        foil_answer_list(ctx->call, list.items, filter.limit, list.more);
        return;
    }
    cJSON_Delete(list.items);
    foil_refuse_broken(ctx->call, ledger_why(ledger));
}

void foil_get_event(struct api_context *ctx)
{
    struct ledger *ledger = ctx->emulator->ledger;
    struct ledger_event *event;
    cJSON *json;

    if (!id_is_hex(ctx->parts[1], "wevt_")) {
        foil_refuse_path(ctx->call);
        return;
    }
    event = ledger_event(ledger, "foil", ctx->parts[1]);
    if (event == NULL) {
        foil_refuse_missing(ctx->call, ledger);
        return;
    }
    json = foil_event_json(ledger, event);
    if (!ledger_failed(ledger)) {
        foil_answer(ctx->call, 200, json);
    } else {
        cJSON_Delete(json);
        foil_refuse_broken(ctx->call, ledger_why(ledger));
    }
    ledger_event_free(&event);
}
