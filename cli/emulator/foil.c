/* SPDX-License-Identifier: MIT
 *
 * foil.c - Foil's API by its OpenAPI document. Where the document is silent: disabled endpoints
 * stay in the list, a test of one is recorded as skipped, and a rotated secret signs nothing.
 *
 * Tripwire is Foil's former name. Its API is the same; an endpoint made with its key is signed by
 * the scheme tripwire.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "cli/emulator/api.h"
#include "cli/emulator/delivery.h"
#include "cli/emulator/emulator.h"
#include "cli/emulator/form.h"
#include "cli/emulator/keys.h"
#include "cli/emulator/ledger.h"
#include "cli/record.h"
#include "daemon/base/clock.h"
#include "daemon/base/ids.h"

/* ---- objects and envelopes: makers return JSON for cJSON_Delete(), answers delete it */

enum {
    FOIL_LIMIT_MAX = 200,
    RECEIVED_MAX = 64,
};

/* The delivered event types, and those to subscribe to. NULL-terminated. */
static const char *const foil_delivery_event_types[] = {
    "session.fingerprint.calculated", "session.result.persisted", "gate.session.approved",
    "webhook.test", NULL};
static const char *const foil_event_types[] = {
    "session.fingerprint.calculated", "session.result.persisted", "gate.session.approved", NULL};

/* `secret` NULL: not shown. */
static cJSON *foil_endpoint_json(const struct ledger_endpoint *endpoint, const char *secret)
{
    cJSON *object = cJSON_CreateObject(), *name = ledger_endpoint_detail_get(endpoint, "name");

    cJSON_AddStringToObject(object, "object", "webhook_endpoint");
    cJSON_AddStringToObject(object, "id", endpoint->id);
    cJSON_AddStringToObject(object, "name",
                            cJSON_IsString(name) ? name->valuestring : endpoint->id);
    cJSON_AddStringToObject(object, "url", endpoint->url);
    cJSON_AddStringToObject(object, "status", endpoint->enabled ? "active" : "disabled");
    cJSON_AddItemToObject(object, "event_types",
                          ledger_endpoint_event_types(endpoint, foil_event_types));
    if (secret != NULL)
        cJSON_AddStringToObject(object, "signing_secret", secret);
    api_json_time(object, "created_at", endpoint->created_us);
    api_json_time(object, "updated_at", endpoint->updated_us);
    cJSON_Delete(name);
    return object;
}

static cJSON *foil_delivery_json(const struct ledger_delivery *delivery)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddStringToObject(object, "object", "webhook_delivery");
    cJSON_AddStringToObject(object, "id", delivery->id);
    cJSON_AddStringToObject(object, "event_id", delivery->event_id);
    cJSON_AddStringToObject(object, "endpoint_id", delivery->endpoint_id);
    cJSON_AddStringToObject(object, "event_type", delivery->event_type);
    cJSON_AddStringToObject(object, "status", delivery->status);
    cJSON_AddNumberToObject(object, "attempts", delivery->attempts);
    if (delivery->response_status > 0)
        cJSON_AddNumberToObject(object, "response_status", delivery->response_status);
    else
        cJSON_AddNullToObject(object, "response_status");
    api_json_text(object, "response_body", delivery->response_body);
    api_json_text(object, "error", delivery->error);
    api_json_time(object, "created_at", delivery->created_us);
    api_json_time(object, "updated_at", delivery->updated_us);
    return object;
}

static void foil_json_meta(const struct api_call *call, cJSON *answer)
{
    cJSON_AddStringToObject(cJSON_AddObjectToObject(answer, "meta"), "request_id",
                            api_request_id(call));
}

static void foil_answer(struct api_call *call, int status, cJSON *data)
{
    cJSON *answer = cJSON_CreateObject();

    cJSON_AddItemToObject(answer, "data", data);
    foil_json_meta(call, answer);
    api_answer(call, status, answer);
}

static void foil_answer_list(struct api_call *call, cJSON *items, int limit, bool has_more)
{
    cJSON *answer = cJSON_CreateObject(), *pagination;

    cJSON_AddItemToObject(answer, "data", items);
    pagination = cJSON_AddObjectToObject(answer, "pagination");
    cJSON_AddNumberToObject(pagination, "limit", limit);
    cJSON_AddBoolToObject(pagination, "has_more", has_more);
    foil_json_meta(call, answer);
    api_answer(call, 200, answer);
}

static cJSON *foil_error_json(const struct api_call *call, int status, const char *code,
                              const char *message, cJSON *details)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON *error = cJSON_AddObjectToObject(answer, "error");

    cJSON_AddStringToObject(error, "code", code);
    cJSON_AddStringToObject(error, "message", message);
    cJSON_AddNumberToObject(error, "status", status);
    cJSON_AddBoolToObject(error, "retryable", status == 429 || status >= 500);
    cJSON_AddStringToObject(error, "request_id", api_request_id(call));
    if (details != NULL)
        cJSON_AddItemToObject(error, "details", details);
    return answer;
}

/* `details` may be NULL. */
static void foil_refuse(struct api_call *call, int status, const char *code, const char *message,
                        cJSON *details)
{
    api_answer(call, status, foil_error_json(call, status, code, message, details));
}

static void foil_refuse_method(struct api_call *call, const char *methods)
{
    api_answer_with(
        call, 405,
        foil_error_json(call, 405, "request.method_not_allowed", "Method not allowed.", NULL),
        "allow", methods);
}

static void foil_refuse_path(struct api_call *call)
{
    foil_refuse(call, 404, "request.not_found", "Resource not found.", NULL);
}

static void foil_refuse_broken(struct api_call *call, const char *why)
{
    foil_refuse(call, 500, "request.internal_error", why, NULL);
}

/* Answers 404 if the last query found nothing, 500 if it failed. */
static void foil_refuse_missing(struct api_call *call, const struct ledger *ledger)
{
    if (ledger_failed(ledger))
        foil_refuse_broken(call, ledger_why(ledger));
    else
        foil_refuse_path(call);
}

static const char *foil_issue_name(enum form_issue issue)
{
    switch (issue) {
    case FORM_MISSING:
        return "required";
    case FORM_WRONG_TYPE:
        return "invalid_type";
    case FORM_TOO_SHORT:
        return "too_small";
    case FORM_NO_URL:
        return "invalid_url";
    case FORM_NOT_ALLOWED:
        return "invalid_enum";
    case FORM_UNKNOWN:
        break;
    }
    return "unrecognized_key";
}

/* Echoes short values of documented members. An unknown member may be a secret. */
static void foil_json_received(cJSON *field, const struct form_problem *problem)
{
    const cJSON *value = problem->received;

    if (value == NULL || problem->issue == FORM_UNKNOWN)
        return;
    if (cJSON_IsArray(value) || cJSON_IsObject(value))
        cJSON_AddStringToObject(field, "received", cJSON_IsArray(value) ? "array" : "object");
    else if (!cJSON_IsString(value) || strlen(value->valuestring) <= RECEIVED_MAX)
        cJSON_AddItemToObject(field, "received", cJSON_Duplicate(value, 1));
}

static void foil_refuse_form(struct api_call *call, const struct form_problems *problems,
                             const char *parameter_set)
{
    cJSON *details = cJSON_CreateObject();
    cJSON *fields = cJSON_AddArrayToObject(details, "fields");
    const char *const *allowed = NULL;

    for (size_t i = 0; i < problems->count; i++) {
        const struct form_problem *problem = &problems->items[i];
        cJSON *field = cJSON_CreateObject();

        cJSON_AddStringToObject(field, "name", problem->name[0] != '\0' ? problem->name : "body");
        cJSON_AddStringToObject(field, "issue", foil_issue_name(problem->issue));
        if (problem->expected[0] != '\0')
            cJSON_AddStringToObject(field, "expected", problem->expected);
        foil_json_received(field, problem);
        cJSON_AddItemToArray(fields, field);
        if (problem->issue == FORM_NOT_ALLOWED)
            allowed = problem->field->allowed;
    }
    if (allowed != NULL)
        cJSON_AddItemToObject(details, "allowed_values", ledger_text_array(allowed));
    cJSON_AddStringToObject(details, "parameter_set", parameter_set);
    foil_refuse(call, 422, "request.validation_failed", "Request failed validation.", details);
}

/* ---- events */

enum {
    EVENTS_LIMIT_DEFAULT = 50,
    PARAMETER_SIZE = 128
};

struct foil_event_filter {
    char endpoint_id[PARAMETER_SIZE], type[PARAMETER_SIZE]; /* "" for any */
    int limit;
};

/* Live events name their subject in the data; a test's subject is its endpoint. */
static cJSON *foil_event_subject(const cJSON *data)
{
    static const struct {
        const char *member, *type;
    } places[] = {{"endpoint", "webhook_endpoint"}, {"session", "session"}};
    const char *type = "gate_session";
    const cJSON *id = json_get(data, "gate_session_id");
    cJSON *subject = cJSON_CreateObject();

    for (size_t i = 0; !cJSON_IsString(id) && i < sizeof(places) / sizeof(places[0]); i++) {
        id = json_get(json_get(data, places[i].member), "id");
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

    if (!cJSON_IsObject(data)) {
        cJSON_Delete(data);
        data = cJSON_CreateObject();
    }
    cJSON_AddStringToObject(object, "object", "event");
    cJSON_AddStringToObject(object, "id", event->id);
    cJSON_AddStringToObject(object, "type", event->type);
    cJSON_AddItemToObject(object, "subject", foil_event_subject(data));
    cJSON_AddItemToObject(object, "data", data);
    cJSON_AddItemToObject(object, "webhook_deliveries", foil_event_deliveries(ledger, event->id));
    api_json_time(object, "created_at", event->created_us);
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

/* Refuses a query parameter like a member of a form. */
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

/* Returns false after a refusal. */
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

static void foil_list_events(struct api_context *ctx)
{
    struct ledger *ledger = ctx->emulator->ledger;
    struct foil_event_list list = {.ledger = ledger};
    struct ledger_event_filter wanted = {.provider = "foil"};
    struct foil_event_filter filter;

    if (!foil_read_event_filter(ctx, &filter))
        return;
    wanted.type = filter.type;
    wanted.endpoint_id = filter.endpoint_id;
    wanted.limit = (size_t)filter.limit + 1; /* one more, to set has_more */
    list.limit = filter.limit;
    list.items = cJSON_CreateArray();
    if (ledger_each_event(ledger, &wanted, foil_event_list_add, &list)) {
        foil_answer_list(ctx->call, list.items, filter.limit, list.more);
        return;
    }
    cJSON_Delete(list.items);
    foil_refuse_broken(ctx->call, ledger_why(ledger));
}

static void foil_get_event(struct api_context *ctx)
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

/* ---- endpoints */

#define ENDPOINTS "/v1/organizations/{}/webhooks/endpoints"
#define EVENTS    "/v1/organizations/{}/events"

enum {
    RIGHT_READ,   /* webhooks:read */
    RIGHT_MANAGE, /* webhooks:manage */
};

static const struct dispatch_traits foil_traits = {
    .delivery_prefix = "wdlv_",
    .status_names = {"pending", "delivering", "succeeded", "pending", "failed"},
    .retries = true,
    .timeout_s = 10,
};

static const char *const foil_statuses[] = {"active", "disabled", NULL};

static const struct form_field foil_create_form[] = {
    {.name = "name", .kind = FORM_TEXT, .required = true, .least = 1},
    {.name = "url", .kind = FORM_URL, .required = true},
    {.name = "event_types",
     .kind = FORM_TEXTS,
     .required = true,
     .least = 1,
     .allowed = foil_event_types},
    {.name = NULL}};

static const struct form_field foil_update_form[] = {
    {.name = "name", .kind = FORM_TEXT, .least = 1},
    {.name = "url", .kind = FORM_URL},
    {.name = "status", .kind = FORM_TEXT, .allowed = foil_statuses},
    {.name = "event_types", .kind = FORM_TEXTS, .least = 1, .allowed = foil_event_types},
    {.name = NULL}};

/* Returns "tripwire" for the key of Foil's former name, else "foil". */
static const char *foil_name(const struct key *key)
{
    return strcmp(key->name, "tripwire") == 0 ? key->name : key->provider;
}

static void foil_refuse_ledger(struct api_context *ctx)
{
    foil_refuse_broken(ctx->call, ledger_why(ctx->emulator->ledger));
}

/* Returns the checked body for cJSON_Delete(); NULL after a refusal. */
static cJSON *foil_read_body(struct api_context *ctx, const struct form_field *form)
{
    const struct api_request *request = api_request(ctx->call);
    struct form_problems problems;
    cJSON *body = form_parse(request->body, request->len), *url;

    if (body == NULL) {
        foil_refuse(ctx->call, 400, "request.invalid_json", "Request body is not valid JSON.",
                    NULL);
        return NULL;
    }
    if (form_check(form, body, true, &problems)) {
        url = json_get(body, "url");
        if (!ctx->emulator->strict_urls || url == NULL || public_url_is_https(url->valuestring))
            return body;
        problems.count = 1;
        problems.items[0] = (struct form_problem){
            .name = "url", .issue = FORM_NO_URL, .expected = "an https URL", .received = url};
    }
    foil_refuse_form(ctx->call, &problems, "webhook_endpoint");
    cJSON_Delete(body);
    return NULL;
}

/* Returns the endpoint of the path; NULL after a refusal. */
static struct ledger_endpoint *foil_find_endpoint(struct api_context *ctx)
{
    struct ledger *ledger = ctx->emulator->ledger;
    struct ledger_endpoint *endpoint;

    if (!id_is_hex(ctx->parts[1], "we_")) {
        foil_refuse_path(ctx->call);
        return NULL;
    }
    endpoint = ledger_endpoint(ledger, "foil", ctx->parts[1]);
    if (endpoint == NULL)
        foil_refuse_missing(ctx->call, ledger);
    return endpoint;
}

static void foil_list_endpoints(struct api_context *ctx)
{
    struct ledger *ledger = ctx->emulator->ledger;
    cJSON *items = cJSON_CreateArray();
    struct ledger_endpoint *endpoint;
    bool more;

    for (size_t i = 0; (endpoint = ledger_endpoint_at(ledger, "foil", i)) != NULL; i++) {
        cJSON_InsertItemInArray(items, 0, foil_endpoint_json(endpoint, NULL));
        ledger_endpoint_free(&endpoint);
    }
    if (ledger_failed(ledger)) {
        cJSON_Delete(items);
        foil_refuse_ledger(ctx);
        return;
    }
    more = cJSON_GetArraySize(items) > FOIL_LIMIT_MAX;
    while (cJSON_GetArraySize(items) > FOIL_LIMIT_MAX)
        cJSON_DeleteItemFromArray(items, FOIL_LIMIT_MAX);
    foil_answer_list(ctx->call, items, FOIL_LIMIT_MAX, more);
}

static bool foil_apply_body(struct ledger_endpoint *endpoint, const cJSON *body)
{
    const cJSON *name = json_get(body, "name");
    const cJSON *url = json_get(body, "url");
    const cJSON *status = json_get(body, "status");
    const cJSON *types = json_get(body, "event_types");

    if (status != NULL)
        endpoint->enabled = strcmp(status->valuestring, "active") == 0;
    return (name == NULL || ledger_endpoint_detail_set(endpoint, "name", name)) &&
           (types == NULL || ledger_endpoint_detail_set(endpoint, "events", types)) &&
           (url == NULL || ledger_set_text(&endpoint->url, url->valuestring));
}

static void foil_create_endpoint(struct api_context *ctx)
{
    struct ledger_endpoint *endpoint;
    char id[IDS_SIZE], secret[IDS_SIZE];
    cJSON *body = foil_read_body(ctx, foil_create_form);

    if (body == NULL)
        return;
    ids_make_hex(id, "we_");
    ids_make_hex(secret, "whsec_");
    endpoint = ledger_endpoint_new("foil", id, secret, ctx->emulator->faults);
    if (endpoint == NULL || !ledger_set_text(&endpoint->scheme, foil_name(ctx->key)) ||
        !foil_apply_body(endpoint, body))
        foil_refuse_broken(ctx->call, "out of memory");
    else if (!ledger_add_endpoint(ctx->emulator->ledger, endpoint))
        foil_refuse_ledger(ctx);
    else
        foil_answer(ctx->call, 201, foil_endpoint_json(endpoint, secret));
    ledger_endpoint_free(&endpoint);
    cJSON_Delete(body);
}

/* Stores the endpoint and answers with it. */
static void foil_answer_changed(struct api_context *ctx, struct ledger_endpoint *endpoint,
                                int status, const char *secret)
{
    endpoint->updated_us = clock_wall_us();
    if (ledger_change_endpoint(ctx->emulator->ledger, endpoint))
        foil_answer(ctx->call, status, foil_endpoint_json(endpoint, secret));
    else
        foil_refuse_ledger(ctx);
}

static void foil_update_endpoint(struct api_context *ctx)
{
    struct ledger_endpoint *endpoint = foil_find_endpoint(ctx);
    cJSON *body = endpoint != NULL ? foil_read_body(ctx, foil_update_form) : NULL;

    if (body != NULL && foil_apply_body(endpoint, body))
        foil_answer_changed(ctx, endpoint, 200, NULL);
    else if (body != NULL)
        foil_refuse_broken(ctx->call, "out of memory");
    ledger_endpoint_free(&endpoint);
    cJSON_Delete(body);
}

static void foil_disable_endpoint(struct api_context *ctx)
{
    struct ledger_endpoint *endpoint = foil_find_endpoint(ctx);

    if (endpoint == NULL)
        return;
    endpoint->enabled = false;
    foil_answer_changed(ctx, endpoint, 200, NULL);
    ledger_endpoint_free(&endpoint);
}

static void foil_rotate_secret(struct api_context *ctx)
{
    struct ledger_endpoint *endpoint = foil_find_endpoint(ctx);
    char secret[IDS_SIZE];

    if (endpoint == NULL)
        return;
    ids_make_hex(secret, "whsec_");
    if (ledger_set_text(&endpoint->previous_secret, endpoint->secret) &&
        ledger_set_text(&endpoint->secret, secret))
        foil_answer_changed(ctx, endpoint, 201, secret);
    else
        foil_refuse_broken(ctx->call, "out of memory");
    ledger_endpoint_free(&endpoint);
}

static cJSON *foil_test_json(struct ledger *ledger, const struct dispatch_batch *batch)
{
    cJSON *object = cJSON_CreateObject(), *ids;
    struct ledger_delivery *latest =
        ledger_delivery(ledger, "foil", batch->delivery_ids[batch->count - 1]);

    cJSON_AddStringToObject(object, "object", "webhook_test");
    cJSON_AddStringToObject(object, "event_id", batch->event_ids[batch->count - 1]);
    ids = cJSON_AddArrayToObject(object, "delivery_ids");
    for (size_t i = 0; i < batch->count; i++)
        cJSON_AddItemToArray(ids, cJSON_CreateString(batch->delivery_ids[i]));
    cJSON_AddItemToObject(object, "latest_delivery",
                          latest != NULL ? foil_delivery_json(latest) : cJSON_CreateNull());
    ledger_delivery_free(&latest);
    return object;
}

static void foil_send_test(struct api_context *ctx)
{
    struct ledger_endpoint *endpoint = foil_find_endpoint(ctx);
    struct faults faults;
    struct dispatch_batch batch;
    char why[FAULTS_WHY_SIZE];

    if (endpoint == NULL)
        return;
    if (!dispatch_test_faults(ctx->call, endpoint, &faults, why))
        foil_refuse(ctx->call, 400, "request.invalid_header", why, NULL);
    else if (endpoint->enabled ? dispatch_test_send(ctx->emulator, endpoint, &foil_traits, &faults,
                                                    NULL, NULL, &batch, why)
                               : dispatch_test_skip(ctx->emulator, endpoint, &foil_traits,
                                                    "skipped", &batch, why))
        foil_answer(ctx->call, 202, foil_test_json(ctx->emulator->ledger, &batch));
    else
        foil_refuse_broken(ctx->call, why);
    ledger_endpoint_free(&endpoint);
}

static const struct api_route foil_routes[] = {
    {"GET", ENDPOINTS, RIGHT_READ, foil_list_endpoints},
    {"POST", ENDPOINTS, RIGHT_MANAGE, foil_create_endpoint},
    {"PATCH", ENDPOINTS "/{}", RIGHT_MANAGE, foil_update_endpoint},
    {"DELETE", ENDPOINTS "/{}", RIGHT_MANAGE, foil_disable_endpoint},
    {"POST", ENDPOINTS "/{}/rotations", RIGHT_MANAGE, foil_rotate_secret},
    {"POST", ENDPOINTS "/{}/test", RIGHT_MANAGE, foil_send_test},
    {"GET", EVENTS, RIGHT_READ, foil_list_events},
    {"GET", EVENTS "/{}", RIGHT_READ, foil_get_event},
    {NULL, NULL, 0, NULL}};

static cJSON *foil_auth_header_detail(void)
{
    cJSON *details = cJSON_CreateObject();

    cJSON_AddStringToObject(details, "header_name", "authorization");
    return details;
}

/* Returns false after a refusal. */
static bool foil_authorize(struct api_context *ctx, unsigned right)
{
    const char *bearer = api_bearer_token(ctx->call);

    if (bearer == NULL) {
        foil_refuse(ctx->call, 401, "auth.missing_api_key", "Missing API key.",
                    foil_auth_header_detail());
        return false;
    }
    ctx->key = keys_find(ctx->emulator->keys, "foil", bearer);
    if (ctx->key == NULL)
        foil_refuse(ctx->call, 401, "auth.invalid_api_key", "Invalid API key.",
                    foil_auth_header_detail());
    else if (!id_is_organization(ctx->parts[0]))
        foil_refuse_path(ctx->call);
    else if (ctx->key->right == KEY_FOREIGN ||
             strcmp(ctx->parts[0], ctx->emulator->organization) != 0)
        foil_refuse(ctx->call, 403, "auth.organization_access_denied",
                    "This API key has no access to the organization.", NULL);
    else if (ctx->key->right == KEY_UNSCOPED && right == RIGHT_MANAGE)
        foil_refuse(ctx->call, 403, "auth.insufficient_scope",
                    "This API key lacks the scope webhooks:manage.", NULL);
    else
        return true;
    return false;
}

const char *foil_provider(const struct emulator *emulator, const struct api_call *call)
{
    const char *bearer = api_bearer_token(call);
    const struct key *key = bearer == NULL ? NULL : keys_find(emulator->keys, "foil", bearer);

    return key == NULL ? "foil" : foil_name(key);
}

bool foil_handle(struct emulator *emulator, struct api_call *call)
{
    static const struct api_route_table api = {"/v1/organizations", foil_routes, foil_authorize,
                                               foil_refuse_method, foil_refuse_path};

    return api_route_table_serve(&api, emulator, call);
}
