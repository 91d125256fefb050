/* SPDX-License-Identifier: MIT
 *
 * control.c - the emulator's own API:
 *
 *   GET  /emulator/endpoints
 *   PUT  /emulator/endpoints/{provider}/{id}/faults  {"faults": "future=412"}
 *   POST /emulator/sources/{name}/test
 *   POST /emulator/events  {"provider": "foil", "type": "gate.session.approved", "data": {}}
 *   PUT  /emulator/trouble  {"provider": "foil", "kind": "html"}
 *
 * The API needs no key, so it is served on loopback only.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "cli/emulator/api.h"
#include "cli/emulator/delivery.h"
#include "cli/emulator/emulator.h"
#include "cli/emulator/event_example.h"
#include "cli/emulator/form.h"
#include "cli/emulator/ledger.h"
#include "cli/emulator/outage.h"
#include "cli/record.h"
#include "daemon/base/clock.h"
#include "daemon/base/ids.h"
#include "daemon/base/rfc3339.h"
#include "daemon/base/net.h"

/* ---- events on request */

enum {
    EVENT_TIMEOUT_S = 10,
    TYPE_MAX = 128,
};

struct control_event {
    const char *type;
    const cJSON *data;
    const char *endpoint_id;
    char id[IDS_SIZE], time[RFC3339_SIZE];
};

static void control_event_write_foil(cJSON *body, const struct control_event *m)
{
    cJSON_AddStringToObject(body, "id", m->id);
    cJSON_AddStringToObject(body, "object", "webhook_event");
    cJSON_AddStringToObject(body, "type", m->type);
    cJSON_AddStringToObject(body, "created", m->time);
}

static void control_event_write_shodai(cJSON *body, const struct control_event *m)
{
    cJSON_AddStringToObject(body, "id", m->id);
    cJSON_AddStringToObject(body, "type", m->type);
    cJSON_AddStringToObject(body, "apiVersion", "2026-06-01");
    cJSON_AddStringToObject(body, "createdAt", m->time);
}

static void control_event_write_trulayer(cJSON *body, const struct control_event *m)
{
    cJSON_AddStringToObject(body, "type", m->type);
    cJSON_AddStringToObject(body, "webhook_id", m->endpoint_id);
    cJSON_AddStringToObject(body, "sent_at", m->time);
}

static const struct control_event_kind {
    const char *provider, *id_prefix, *delivery_prefix; /* NULL: not recorded */
    void (*write)(cJSON *body, const struct control_event *m);
    const char *status_names[5];
    bool retries;
} control_event_kinds[] = {
    {"foil",
     "wevt_",
     "wdlv_",
     control_event_write_foil,
     {"pending", "delivering", "succeeded", "pending", "failed"},
     true},
    {"shodai",
     "evt_",
     "whd_",
     control_event_write_shodai,
     {"pending", "pending", "succeeded", "retry_pending", "failed"},
     true},
    {"tripwire",
     "wevt_",
     "wdlv_",
     control_event_write_foil,
     {"pending", "delivering", "succeeded", "pending", "failed"},
     true},
    {"trulayer", "evt_", NULL, control_event_write_trulayer, {NULL}, false},
};

static const struct control_event_kind *control_event_kind_find(const char *provider)
{
    for (size_t i = 0; i < sizeof(control_event_kinds) / sizeof(control_event_kinds[0]); i++)
        if (strcmp(control_event_kinds[i].provider, provider) == 0)
            return &control_event_kinds[i];
    return NULL;
}

static bool control_event_is_subscribed(const struct ledger_endpoint *endpoint, const char *type)
{
    cJSON *events = ledger_endpoint_detail_get(endpoint, "events");
    const cJSON *event;
    bool found = !cJSON_IsArray(events);

    cJSON_ArrayForEach(event, events)
    {
        if (cJSON_IsString(event) && strcmp(event->valuestring, type) == 0)
            found = true;
    }
    cJSON_Delete(events);
    return found && endpoint->enabled;
}

static char *control_event_body(const struct control_event_kind *kind,
                                const struct control_event *m)
{
    cJSON *body = cJSON_CreateObject(),
          *data = m->data != NULL ? cJSON_Duplicate(m->data, 1)
                                  : event_example_data(kind->provider, m->type, m->endpoint_id);
    char *text;

    kind->write(body, m);
    if (data != NULL)
        cJSON_AddItemToObject(body, "data", data);
    text = cJSON_PrintUnformatted(body);
    cJSON_Delete(body);
    return text;
}

static bool control_event_send(struct emulator *emulator, const struct control_event_kind *kind,
                               struct control_event *m, const struct ledger_endpoint *endpoint,
                               char *why)
{
    struct dispatch_request request = {
        .provider = endpoint->provider,
        .endpoint = endpoint,
        .event_id = m->id,
        .event_type = m->type,
        .retry_s = kind->retries ? emulator->retry_s : NULL,
        .timeout_s = EVENT_TIMEOUT_S,
    };
    char delivery_id[IDS_SIZE];
    char *body;
    bool good;

    m->endpoint_id = endpoint->id;
    if (kind->delivery_prefix != NULL) {
        ids_make_hex(delivery_id, kind->delivery_prefix);
        request.delivery_id = delivery_id;
    }
    for (int i = 0; i < 5; i++)
        request.status_names[i] = kind->status_names[i];
    if ((body = control_event_body(kind, m)) == NULL) {
        snprintf(why, FAULTS_WHY_SIZE, "out of memory");
        return false;
    }
    request.body = body;
    request.len = strlen(body);
    good = faults_read(&request.faults, endpoint->faults, why) &&
           dispatcher_send(emulator->dispatcher, &request, why);
    cJSON_free(body);
    return good;
}

/* Sends an event to the subscribed endpoints of the provider. `data` NULL: the documented example.
 * Returns the number of deliveries and adds the event's id to `answer`; -1 on failure, with the reason in
 * `why` (FAULTS_WHY_SIZE bytes). */
static int control_publish_event(struct emulator *emulator, const char *provider, const char *type,
                                 const cJSON *data, cJSON *answer, char *why)
{
    const struct control_event_kind *kind = control_event_kind_find(provider);
    struct control_event event = {.type = type, .data = data};
    struct ledger_endpoint *endpoint;
    int count = 0;
    bool good = true;

    if (kind == NULL || type[0] == '\0' || strlen(type) > TYPE_MAX ||
        (data != NULL && !cJSON_IsObject(data))) {
        snprintf(why, FAULTS_WHY_SIZE,
                 "expected provider foil, tripwire, shodai or trulayer, a type, and an object as "
                 "data");
        return -1;
    }
    ids_make_hex(event.id, kind->id_prefix);
    rfc3339_write(event.time, dispatch_take_time(emulator, 1));
    for (size_t i = 0; good && (endpoint = ledger_endpoint_at(emulator->ledger, NULL, i)) != NULL;
         i++) {
        if (strcmp(ledger_endpoint_provider(endpoint), provider) == 0 &&
            control_event_is_subscribed(endpoint, type)) {
            good = control_event_send(emulator, kind, &event, endpoint, why);
            count += good;
        }
        ledger_endpoint_free(&endpoint);
    }
    cJSON_AddStringToObject(answer, "id", event.id);
    cJSON_AddNumberToObject(answer, "deliveries", count);
    return good || count > 0 ? count : -1;
}

/* ---- answers */

enum {
    MEMBERS_MAX = 2,
    TEST_TIMEOUT_S = 10,
};

static cJSON *control_error_json(const char *code, const char *message)
{
    cJSON *json = cJSON_CreateObject(), *error = cJSON_AddObjectToObject(json, "error");

    cJSON_AddStringToObject(error, "code", code);
    cJSON_AddStringToObject(error, "message", message);
    return json;
}

static void control_refuse(struct api_call *call, int status, const char *code, const char *message)
{
    api_answer(call, status, control_error_json(code, message));
}

static void control_refuse_ledger(const struct emulator *emulator, struct api_call *call)
{
    control_refuse(call, 503, "unavailable", ledger_why(emulator->ledger));
}

static void control_refuse_missing(const struct emulator *emulator, struct api_call *call,
                                   const char *message)
{
    if (ledger_failed(emulator->ledger))
        control_refuse_ledger(emulator, call);
    else
        control_refuse(call, 404, "not_found", message);
}

/* ---- bodies */

/* Returns a body of exactly these text members, and `free` if not NULL, for cJSON_Delete().
 * Returns NULL after a refusal. */
static cJSON *control_read_body(struct api_call *call, const char *const names[MEMBERS_MAX],
                                const char *free)
{
    const struct api_request *request = api_request(call);
    cJSON *body = form_parse(request->body, request->len);
    const cJSON *member;

    if (!cJSON_IsObject(body)) {
        cJSON_Delete(body);
        control_refuse(call, 400, "bad_request", "the body must be a JSON object");
        return NULL;
    }
    for (int i = 0; i < MEMBERS_MAX && names[i] != NULL; i++) {
        if (json_get_text(body, names[i]) != NULL)
            continue;
        control_refuse(call, 400, "bad_request",
                       names[1] == NULL
                           ? "the body must have the string member faults"
                           : "the body must have the string members provider, and kind or type");
        cJSON_Delete(body);
        return NULL;
    }
    cJSON_ArrayForEach(member, body)
    {
        bool known = free != NULL && strcmp(member->string, free) == 0;

        for (int i = 0; i < MEMBERS_MAX && names[i] != NULL; i++)
            known |= strcmp(member->string, names[i]) == 0;
        if (known)
            continue;
        control_refuse(call, 400, "bad_request", "the body has an unknown member");
        cJSON_Delete(body);
        return NULL;
    }
    return body;
}

/* ---- endpoints */

/* Leaves out the secrets. */
static cJSON *control_endpoint_json(const struct emulator *emulator,
                                    const struct ledger_endpoint *endpoint)
{
    cJSON *json = cJSON_CreateObject();
    bool is_foil = strcmp(endpoint->provider, "foil") == 0;

    api_json_text(json, "provider", ledger_endpoint_provider(endpoint));
    api_json_text(json, "source", endpoint->source);
    api_json_text(json, "id", endpoint->id);
    api_json_text(json, "organization", is_foil ? emulator->organization : NULL);
    api_json_text(json, "url", endpoint->url);
    api_json_text(json, "scheme", endpoint->scheme == NULL ? "custom" : endpoint->scheme);
    cJSON_AddBoolToObject(json, "enabled", endpoint->enabled);
    api_json_text(json, "faults", endpoint->faults);
    return json;
}

static void control_list_endpoints(struct api_context *ctx)
{
    struct emulator *emulator = ctx->emulator;
    cJSON *json = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(json, "endpoints");
    struct ledger_endpoint *endpoint;

    for (size_t i = 0; (endpoint = ledger_endpoint_at(emulator->ledger, NULL, i)) != NULL; i++) {
        cJSON_AddItemToArray(list, control_endpoint_json(emulator, endpoint));
        ledger_endpoint_free(&endpoint);
    }
    if (ledger_failed(emulator->ledger)) {
        cJSON_Delete(json);
        control_refuse_ledger(emulator, ctx->call);
        return;
    }
    api_answer(ctx->call, 200, json);
}

static void control_set_faults(struct emulator *emulator, struct api_call *call,
                               struct ledger_endpoint *endpoint, const char *text)
{
    struct ledger_endpoint changed = *endpoint;
    char why[FAULTS_WHY_SIZE];
    struct faults faults;

    if (!faults_read(&faults, text, why)) {
        control_refuse(call, 400, "bad_fault", why);
        return;
    }
    changed.faults = (char *)text;
    changed.updated_us = clock_wall_us();
    if (ledger_change_endpoint(emulator->ledger, &changed))
        api_answer(call, 200, control_endpoint_json(emulator, &changed));
    else
        control_refuse_ledger(emulator, call);
}

/* Returns NULL if the endpoint is another provider's, too. */
static struct ledger_endpoint *control_find_endpoint(struct emulator *emulator,
                                                     const char *provider, const char *id)
{
    bool is_tripwire = strcmp(provider, "tripwire") == 0;
    struct ledger_endpoint *endpoint =
        ledger_endpoint(emulator->ledger, is_tripwire ? "foil" : provider, id);

    if (endpoint != NULL && strcmp(ledger_endpoint_provider(endpoint), provider) != 0)
        ledger_endpoint_free(&endpoint);
    return endpoint;
}

static void control_change_faults(struct api_context *ctx)
{
    struct emulator *emulator = ctx->emulator;
    cJSON *body = control_read_body(ctx->call, (const char *const[MEMBERS_MAX]){"faults"}, NULL);
    struct ledger_endpoint *endpoint;

    if (body == NULL)
        return;
    endpoint = control_find_endpoint(emulator, ctx->parts[0], ctx->parts[1]);
    if (endpoint == NULL)
        control_refuse_missing(emulator, ctx->call,
                               "no such endpoint: see GET /emulator/endpoints");
    else
        control_set_faults(emulator, ctx->call, endpoint, json_get_text(body, "faults"));
    ledger_endpoint_free(&endpoint);
    cJSON_Delete(body);
}

/* ---- tests of a source */

struct control_test {
    struct api_call *call;
    struct dispatch_batch batch;
};

static void control_on_first_attempt(void *data, const struct dispatch_attempt *attempt)
{
    struct control_test *test = data;
    cJSON *json = cJSON_CreateObject(), *ids;

    cJSON_AddNumberToObject(json, "status", attempt->status);
    api_json_text(json, "body", attempt->body);
    api_json_text(json, "error", attempt->error);
    api_json_text(json, "id", test->batch.event_ids[0]);
    ids = cJSON_AddArrayToObject(json, "ids");
    for (size_t i = 0; i < test->batch.count; i++)
        cJSON_AddItemToArray(ids, cJSON_CreateString(test->batch.event_ids[i]));
    api_answer(test->call, 200, json);
    free(test);
}

static void control_send_test(struct emulator *emulator, struct api_call *call,
                              const struct ledger_endpoint *endpoint)
{
    /* TruLayer documents no retries. */
    const struct dispatch_traits traits = {.retries = strcmp(endpoint->provider, "trulayer") != 0,
                                           .timeout_s = TEST_TIMEOUT_S};
    struct control_test *test = calloc(1, sizeof(*test));
    char why[FAULTS_WHY_SIZE];
    struct faults faults;

    if (test == NULL) {
        control_refuse(call, 503, "no_memory", "out of memory");
        return;
    }
    test->call = call;
    if (dispatch_test_faults(call, endpoint, &faults, why) &&
        dispatch_test_send(emulator, endpoint, &traits, &faults, control_on_first_attempt, test,
                           &test->batch, why))
        return;
    control_refuse(call, 400, "bad_fault", why);
    free(test);
}

static void control_test_source(struct api_context *ctx)
{
    struct emulator *emulator = ctx->emulator;
    struct ledger_endpoint *endpoint = ledger_endpoint_of_source(emulator->ledger, ctx->parts[0]);

    if (endpoint == NULL)
        control_refuse_missing(emulator, ctx->call,
                               "no endpoint for this source: see GET /emulator/endpoints");
    else
        control_send_test(emulator, ctx->call, endpoint);
    ledger_endpoint_free(&endpoint);
}

/* ---- events and outages */

static void control_make_event(struct api_context *ctx)
{
    cJSON *body =
        control_read_body(ctx->call, (const char *const[MEMBERS_MAX]){"provider", "type"}, "data");
    cJSON *json = cJSON_CreateObject();
    char why[FAULTS_WHY_SIZE];
    int deliveries;

    if (body == NULL) {
        cJSON_Delete(json);
        return;
    }
    deliveries =
        control_publish_event(ctx->emulator, json_get_text(body, "provider"),
                              json_get_text(body, "type"), json_get(body, "data"), json, why);
    if (deliveries < 0) {
        control_refuse(ctx->call, 400, "bad_request", why);
        cJSON_Delete(json);
    } else {
        api_answer(ctx->call, 202, json);
    }
    cJSON_Delete(body);
}

static void control_set_outage(struct api_context *ctx)
{
    cJSON *body =
        control_read_body(ctx->call, (const char *const[MEMBERS_MAX]){"provider", "kind"}, NULL);

    if (body == NULL)
        return;
    if (outage_set(ctx->emulator->outage, json_get_text(body, "provider"),
                   json_get_text(body, "kind")))
        api_answer(ctx->call, 200, cJSON_Duplicate(body, 1));
    else
        control_refuse(ctx->call, 400, "bad_request",
                       "expected provider foil, tripwire, shodai or trulayer, and kind html, huge, "
                       "500, reset, hang or none");
    cJSON_Delete(body);
}

/* ---- routes */

static const struct api_route control_routes[] = {
    {"GET", "/emulator/endpoints", 0, control_list_endpoints},
    {"PUT", "/emulator/endpoints/{}/{}/faults", 0, control_change_faults},
    {"POST", "/emulator/sources/{}/test", 0, control_test_source},
    {"POST", "/emulator/events", 0, control_make_event},
    {"PUT", "/emulator/trouble", 0, control_set_outage},
    {NULL, NULL, 0, NULL}};

/* Loopback alone is no protection: a browser on this machine runs pages of other sites, which
 * could reach the emulator (DNS rebinding). */
static bool control_admit(struct api_context *ctx, unsigned right)
{
    const char *host = api_header(ctx->call, "host"), *origin = api_header(ctx->call, "origin");

    (void)right;
    if (!ctx->emulator->is_local)
        control_refuse(ctx->call, 403, "not_local",
                       "/emulator/... is served only if the emulator listens on loopback");
    else if (!host_check_is_local(host, strlen(host)))
        control_refuse(ctx->call, 403, "foreign_host",
                       "the Host header must be localhost or a loopback address");
    else if (origin != NULL &&
             !host_check_is_same_origin(origin, strlen(origin), host, strlen(host)))
        control_refuse(ctx->call, 403, "foreign_origin",
                       "requests from pages of other sites are refused");
    else
        return true;
    return false;
}

static void control_refuse_method(struct api_call *call, const char *methods)
{
    api_answer_with(call, 405, control_error_json("method_not_allowed", "see the Allow header"),
                    "Allow", methods);
}

static void control_refuse_path(struct api_call *call)
{
    control_refuse(call, 404, "not_found",
                   "expected /emulator/endpoints, /emulator/sources/NAME/test, /emulator/events or "
                   "/emulator/trouble");
}

bool control_handle(struct emulator *emulator, struct api_call *call)
{
    static const struct api_route_table api = {"/emulator", control_routes, control_admit,
                                               control_refuse_method, control_refuse_path};

    return api_route_table_serve(&api, emulator, call);
}
