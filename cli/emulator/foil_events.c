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
    LIMIT_DEFAULT = 50,
    VALUE_SIZE = 128
};

struct filter {
    char endpoint_id[VALUE_SIZE], type[VALUE_SIZE]; /* "" for any */
    int limit;
};

/* What a live event is about is in its data; a test is about its endpoint. */
static cJSON *subject_of(const cJSON *data)
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

static cJSON *deliveries_of(struct ledger *ledger, const char *event_id)
{
    cJSON *array = cJSON_CreateArray();
    struct ledger_delivery *delivery;

    for (size_t i = 0; (delivery = ledger_delivery_at(ledger, "foil", event_id, i)) != NULL; i++) {
        cJSON_AddItemToArray(array, foil_delivery_json(delivery));
        ledger_delivery_free(&delivery);
    }
    return array;
}

static cJSON *event_json(struct ledger *ledger, const struct ledger_event *event)
{
    cJSON *object = cJSON_CreateObject(), *body = cJSON_Parse(event->body);
    cJSON *data = cJSON_DetachItemFromObjectCaseSensitive(body, "data");
    char created[ISO_TIME_SIZE];

    if (!cJSON_IsObject(data)) {
        cJSON_Delete(data);
        data = cJSON_CreateObject();
    }
    iso_time_write(created, event->created_us);
    cJSON_AddStringToObject(object, "object", "event");
    cJSON_AddStringToObject(object, "id", event->id);
    cJSON_AddStringToObject(object, "type", event->type);
    cJSON_AddItemToObject(object, "subject", subject_of(data));
    cJSON_AddItemToObject(object, "data", data);
    cJSON_AddItemToObject(object, "webhook_deliveries", deliveries_of(ledger, event->id));
    cJSON_AddStringToObject(object, "created_at", created);
    cJSON_Delete(body);
    return object;
}

static bool read_limit(const char *text, int *limit)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || number < 1 || number > FOIL_LIMIT_MAX)
        return false;
    *limit = (int)number;
    return true;
}

/* A parameter as a member of a form, so that it is refused like one. */
static bool refuse(struct visit *visit, const struct form_field *field, enum form_issue issue,
                   const char *expected, const char *received)
{
    struct form_problems problems = {.count = 1};
    struct form_problem *problem = &problems.items[0];
    cJSON *value = cJSON_CreateString(received);

    *problem = (struct form_problem){.issue = issue, .field = field, .received = value};
    snprintf(problem->name, sizeof(problem->name), "%s", field->name);
    snprintf(problem->expected, sizeof(problem->expected), "%s", expected);
    foil_refuse_form(visit->call, &problems, "events");
    cJSON_Delete(value);
    return false;
}

static bool is_type(const char *text)
{
    for (size_t i = 0; foil_delivery_event_types[i] != NULL; i++)
        if (strcmp(text, foil_delivery_event_types[i]) == 0)
            return true;
    return false;
}

/* False: it has been refused. */
static bool read_filter(struct visit *visit, struct filter *filter)
{
    static const struct form_field endpoint = {.name = "endpoint_id", .kind = FORM_TEXT},
                                   limit = {.name = "limit", .kind = FORM_TEXT};
    static const struct form_field type = {
        .name = "type", .kind = FORM_TEXT, .allowed = foil_delivery_event_types};
    const struct api_request *request = api_request(visit->call);
    char number[VALUE_SIZE];

    filter->limit = LIMIT_DEFAULT;
    if (!route_parameter(request, "endpoint_id", filter->endpoint_id, VALUE_SIZE) ||
        (filter->endpoint_id[0] != '\0' && !pattern_hex(filter->endpoint_id, "we_")))
        return refuse(visit, &endpoint, FORM_WRONG_TYPE, "^we_[0-9a-f]{32}$", filter->endpoint_id);
    if (!route_parameter(request, "type", filter->type, VALUE_SIZE) ||
        (filter->type[0] != '\0' && !is_type(filter->type)))
        return refuse(visit, &type, FORM_NOT_ALLOWED, "one of the allowed values", filter->type);
    if (!route_parameter(request, "limit", number, VALUE_SIZE) ||
        (number[0] != '\0' && !read_limit(number, &filter->limit)))
        return refuse(visit, &limit, FORM_WRONG_TYPE, "an integer from 1 to 200", number);
    return true;
}

struct list {
    struct ledger *ledger;
    cJSON *items;
    int limit;
    bool more;
};

static void add_event(void *data, const struct ledger_event *event)
{
    struct list *list = data;

    list->more = cJSON_GetArraySize(list->items) == list->limit;
    if (!list->more)
        cJSON_AddItemToArray(list->items, event_json(list->ledger, event));
}

void foil_list_events(struct visit *visit)
{
    struct ledger *ledger = visit->emulator->ledger;
    struct list list = {.ledger = ledger};
    struct ledger_wanted wanted = {.provider = "foil"};
    struct filter filter;

    if (!read_filter(visit, &filter))
        return;
    wanted.type = filter.type;
    wanted.endpoint_id = filter.endpoint_id;
    wanted.limit = (size_t)filter.limit + 1; /* whether there are more */
    list.limit = filter.limit;
    list.items = cJSON_CreateArray();
    if (ledger_each_event(ledger, &wanted, add_event, &list)) {
        foil_answer_list(visit->call, list.items, filter.limit, list.more);
        return;
    }
    cJSON_Delete(list.items);
    foil_refuse_broken(visit->call, ledger_why(ledger));
}

void foil_get_event(struct visit *visit)
{
    struct ledger *ledger = visit->emulator->ledger;
    struct ledger_event *event;
    cJSON *json;

    if (!pattern_hex(visit->parts[1], "wevt_")) {
        foil_refuse_path(visit->call);
        return;
    }
    event = ledger_event(ledger, "foil", visit->parts[1]);
    if (event == NULL) {
        foil_refuse_missing(visit->call, ledger);
        return;
    }
    json = event_json(ledger, event);
    if (!ledger_failed(ledger)) {
        foil_answer(visit->call, 200, json);
    } else {
        cJSON_Delete(json);
        foil_refuse_broken(visit->call, ledger_why(ledger));
    }
    ledger_event_free(&event);
}
