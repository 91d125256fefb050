/* SPDX-License-Identifier: MIT
 *
 * What Foil's OpenAPI says; where it leaves something open this does what is least surprising:
 * disabled endpoints stay in the list, a test of one is recorded as skipped, an old secret signs
 * nothing once it was rotated.
 */
#include "cli/emulator/emulator.h"

#include <stdio.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "cli/emulator/detail.h"
#include "cli/emulator/foil_answer.h"
#include "cli/emulator/foil_events.h"
#include "cli/emulator/form.h"
#include "daemon/base/ids.h"
#include "cli/emulator/keys.h"
#include "cli/emulator/ledger.h"
#include "cli/emulator/pattern.h"
#include "cli/emulator/public_url.h"
#include "cli/emulator/route.h"
#include "cli/emulator/trial.h"

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

static void foil_refuse_ledger(struct api_context *ctx)
{
    foil_refuse_broken(ctx->call, ledger_why(ctx->emulator->ledger));
}

/* The body as the form says, for cJSON_Delete(); NULL: it has been refused. */
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
        url = cJSON_GetObjectItemCaseSensitive(body, "url");
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

/* The endpoint of the path; NULL: it has been refused. */
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
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(body, "name");
    const cJSON *url = cJSON_GetObjectItemCaseSensitive(body, "url");
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(body, "status");
    const cJSON *types = cJSON_GetObjectItemCaseSensitive(body, "event_types");

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
    if (endpoint == NULL || !foil_apply_body(endpoint, body))
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

/* False: it has been refused. */
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

bool foil_handle(struct emulator *emulator, struct api_call *call)
{
    static const struct api_route_table api = {"/v1/organizations", foil_routes, foil_authorize,
                                               foil_refuse_method, foil_refuse_path};

    return api_route_table_serve(&api, emulator, call);
}
