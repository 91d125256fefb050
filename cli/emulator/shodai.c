/* SPDX-License-Identifier: MIT
 *
 * shodai.c - Shodai's Agreements API by its documentation. Where it is silent: disabled webhooks
 * stay in the list and can be tested.
 */
#include "cli/emulator/emulator.h"

#include <stdio.h>
#include <string.h>

#include "cli/emulator/api.h"
#include "cli/emulator/delivery.h"
#include "cli/emulator/form.h"
#include "cli/emulator/keys.h"
#include "cli/emulator/ledger.h"
#include "cli/record.h"
#include "daemon/base/clock.h"
#include "daemon/base/ids.h"

enum {
    RIGHT_READ,  /* webhooks.read */
    RIGHT_WRITE, /* webhooks.write */
    PAGE_SIZE = 25,
};

static const struct dispatch_traits shodai_traits = {
    .delivery_prefix = "whd_",
    .status_names = {"pending", "pending", "succeeded", "retry_pending", "failed"},
    .retries = true,
    .timeout_s = 10,
};

static const char *const shodai_event_types[] = {"agreement.transitioned",
                                                 "agreement.notification.triggered", NULL};
static const char *const shodai_default_events[] = {"agreement.transitioned", NULL};
static const char *const shodai_statuses[] = {"active", "disabled", NULL};

static const struct form_field shodai_filters_form[] = {
    {.name = "agreementIds", .kind = FORM_TEXTS},
    {.name = "templateIds", .kind = FORM_TEXTS},
    {.name = "inputIds", .kind = FORM_TEXTS},
    {.name = "fromStates", .kind = FORM_TEXTS},
    {.name = "toStates", .kind = FORM_TEXTS},
    {.name = "ruleIds", .kind = FORM_TEXTS},
    {.name = NULL}};

static const struct form_field shodai_create_form[] = {
    {.name = "url", .kind = FORM_URL, .required = true},
    {.name = "eventTypes", .kind = FORM_TEXTS, .nullable = true, .allowed = shodai_event_types},
    {.name = "filters", .kind = FORM_OBJECT, .nullable = true, .fields = shodai_filters_form},
    {.name = NULL}};

static const struct form_field shodai_update_form[] = {
    {.name = "url", .kind = FORM_URL},
    {.name = "status", .kind = FORM_TEXT, .allowed = shodai_statuses},
    {.name = "eventTypes", .kind = FORM_TEXTS, .nullable = true, .allowed = shodai_event_types},
    {.name = "filters", .kind = FORM_OBJECT, .nullable = true, .fields = shodai_filters_form},
    {.name = NULL}};

/* ---- answers */

static cJSON *shodai_answer_json(cJSON *data)
{
    cJSON *answer = cJSON_CreateObject();

    cJSON_AddItemToObject(answer, "data", data);
    return answer;
}

static void shodai_answer(struct api_call *call, int status, cJSON *answer)
{
    cJSON *meta = cJSON_AddObjectToObject(answer, "meta");

    cJSON_AddStringToObject(meta, "apiVersion", "v0");
    cJSON_AddStringToObject(meta, "requestId", api_request_id(call));
    api_answer(call, status, answer);
}

static cJSON *shodai_error_json(const struct api_call *call, const char *code, const char *message,
                                cJSON *details)
{
    cJSON *answer = cJSON_CreateObject(), *error = cJSON_AddObjectToObject(answer, "error");

    cJSON_AddStringToObject(error, "code", code);
    cJSON_AddStringToObject(error, "message", message);
    if (details != NULL)
        cJSON_AddItemToObject(error, "details", details);
    cJSON_AddStringToObject(error, "requestId", api_request_id(call));
    return answer;
}

static void shodai_refuse(struct api_call *call, int status, const char *code, const char *message)
{
    api_answer(call, status, shodai_error_json(call, code, message, NULL));
}

static void shodai_refuse_broken(struct api_context *ctx, const char *why)
{
    shodai_refuse(ctx->call, 500, "internal_error", why);
}

static void shodai_refuse_form(struct api_call *call, const struct form_problems *problems)
{
    cJSON *details = cJSON_CreateArray();

    for (size_t i = 0; i < problems->count; i++) {
        const struct form_problem *problem = &problems->items[i];
        cJSON *item = cJSON_CreateObject();
        char message[FORM_EXPECTED_SIZE + 16];

        snprintf(message, sizeof(message), "Expected %s", problem->expected);
        cJSON_AddStringToObject(item, "field", problem->name[0] != '\0' ? problem->name : "body");
        cJSON_AddStringToObject(item, "message", message);
        cJSON_AddItemToArray(details, item);
    }
    api_answer(call, 400,
               shodai_error_json(call, "validation_error", "Invalid request body", details));
}

/* All webhooks belong to one account, made once and kept. */
static void shodai_json_principal(struct ledger *ledger, cJSON *object)
{
    char fresh[IDS_SIZE], kept[IDS_SIZE];

    ids_make_hex(fresh, "principal_");
    if (!ledger_setting(ledger, "shodai.principal", fresh, kept, sizeof(kept)))
        snprintf(kept, sizeof(kept), "%s", fresh);
    cJSON_AddStringToObject(object, "principalId", kept);
}

static cJSON *shodai_webhook_json(struct ledger *ledger, const struct ledger_endpoint *webhook)
{
    cJSON *object = cJSON_CreateObject(), *filters = ledger_endpoint_detail_get(webhook, "filters");

    cJSON_AddStringToObject(object, "id", webhook->id);
    shodai_json_principal(ledger, object);
    cJSON_AddStringToObject(object, "url", webhook->url);
    cJSON_AddStringToObject(object, "status", webhook->enabled ? "active" : "disabled");
    cJSON_AddItemToObject(object, "eventTypes",
                          ledger_endpoint_event_types(webhook, shodai_event_types));
    if (filters != NULL)
        cJSON_AddItemToObject(object, "filters", filters);
    api_json_time(object, "createdAt", webhook->created_us);
    api_json_time(object, "updatedAt", webhook->updated_us);
    return object;
}

/* ---- operations */

/* Returns the checked body for cJSON_Delete(); NULL after a refusal. */
static cJSON *shodai_read_body(struct api_context *ctx, const struct form_field *form)
{
    const struct api_request *request = api_request(ctx->call);
    cJSON *body = form_parse(request->body, request->len), *url;
    struct form_problems problems;

    if (body == NULL) {
        shodai_refuse(ctx->call, 400, "validation_error", "Request body is not valid JSON");
        return NULL;
    }
    if (form_check(form, body, false, &problems)) {
        url = json_get(body, "url");
        if (!ctx->emulator->strict_urls || url == NULL || public_url_is_https(url->valuestring))
            return body;
        problems.count = 1;
        problems.items[0] = (struct form_problem){
            .name = "url", .issue = FORM_NO_URL, .expected = "an https URL", .received = url};
    }
    shodai_refuse_form(ctx->call, &problems);
    cJSON_Delete(body);
    return NULL;
}

/* Keeps only the documented filters, as the API does. */
static bool shodai_apply_filters(struct ledger_endpoint *webhook, const cJSON *filters)
{
    cJSON *known = cJSON_IsObject(filters) ? cJSON_CreateObject() : NULL;
    bool good;

    for (const struct form_field *f = shodai_filters_form; known != NULL && f->name != NULL; f++) {
        const cJSON *values = json_get(filters, f->name);

        if (values != NULL)
            cJSON_AddItemToObject(known, f->name, cJSON_Duplicate(values, 1));
    }
    good = ledger_endpoint_detail_set(webhook, "filters", known);
    cJSON_Delete(known);
    return good;
}

static bool shodai_apply_events(struct ledger_endpoint *webhook, const cJSON *types)
{
    cJSON *usual;
    bool good;

    if (cJSON_GetArraySize(types) > 0)
        return ledger_endpoint_detail_set(webhook, "events", types);
    usual = ledger_text_array(shodai_default_events);
    good = ledger_endpoint_detail_set(webhook, "events", usual);
    cJSON_Delete(usual);
    return good;
}

static bool shodai_apply_body(struct ledger_endpoint *webhook, const cJSON *body)
{
    const cJSON *url = json_get(body, "url");
    const cJSON *types = json_get(body, "eventTypes");
    const cJSON *filters = json_get(body, "filters");

    return (types == NULL || shodai_apply_events(webhook, types)) &&
           (filters == NULL || shodai_apply_filters(webhook, filters)) &&
           (url == NULL || ledger_set_text(&webhook->url, url->valuestring));
}

static struct ledger_endpoint *shodai_find_webhook(struct api_context *ctx)
{
    struct ledger *ledger = ctx->emulator->ledger;
    struct ledger_endpoint *webhook = ledger_endpoint(ledger, "shodai", ctx->parts[0]);

    if (webhook == NULL && ledger_failed(ledger))
        shodai_refuse_broken(ctx, ledger_why(ledger));
    else if (webhook == NULL)
        shodai_refuse(ctx->call, 404, "not_found", "Webhook subscription not found");
    return webhook;
}

static struct ledger_endpoint *shodai_new_webhook(struct api_context *ctx, const cJSON *body)
{
    char id[IDS_SIZE], secret[IDS_SIZE];
    struct ledger_endpoint *webhook;

    ids_make_hex(id, "wh_");
    ids_make_secret(secret);
    webhook = ledger_endpoint_new("shodai", id, secret, ctx->emulator->faults);
    if (webhook != NULL &&
        (!shodai_apply_events(webhook, NULL) || !shodai_apply_body(webhook, body)))
        ledger_endpoint_free(&webhook);
    return webhook;
}

static void shodai_create_webhook(struct api_context *ctx)
{
    struct ledger *ledger = ctx->emulator->ledger;
    cJSON *body = shodai_read_body(ctx, shodai_create_form), *data;
    struct ledger_endpoint *webhook;

    if (body == NULL)
        return;
    webhook = shodai_new_webhook(ctx, body);
    cJSON_Delete(body);
    if (webhook == NULL) {
        shodai_refuse_broken(ctx, "out of memory");
    } else if (!ledger_add_endpoint(ledger, webhook)) {
        shodai_refuse_broken(ctx, ledger_why(ledger));
    } else {
        data = shodai_webhook_json(ledger, webhook);
        cJSON_AddStringToObject(data, "secret", webhook->secret);
        shodai_answer(ctx->call, 201, shodai_answer_json(data));
    }
    ledger_endpoint_free(&webhook);
}

static void shodai_list_webhooks(struct api_context *ctx)
{
    struct ledger *ledger = ctx->emulator->ledger;
    cJSON *items = cJSON_CreateArray(), *answer = shodai_answer_json(items), *page;
    struct ledger_endpoint *webhook;
    int count = 0;

    for (; (webhook = ledger_endpoint_at(ledger, "shodai", (size_t)count)) != NULL; count++) {
        cJSON_InsertItemInArray(items, 0, shodai_webhook_json(ledger, webhook));
        ledger_endpoint_free(&webhook);
    }
    if (ledger_failed(ledger)) {
        cJSON_Delete(answer);
        shodai_refuse_broken(ctx, ledger_why(ledger));
        return;
    }
    /* The API documents no parameter for a second page. */
    page = cJSON_AddObjectToObject(answer, "pageInfo");
    cJSON_AddNumberToObject(page, "limit", count > PAGE_SIZE ? count : PAGE_SIZE);
    cJSON_AddNullToObject(page, "nextCursor");
    cJSON_AddNumberToObject(page, "totalCount", count);
    shodai_answer(ctx->call, 200, answer);
}

static void shodai_get_webhook(struct api_context *ctx)
{
    struct ledger_endpoint *webhook = shodai_find_webhook(ctx);

    if (webhook == NULL)
        return;
    shodai_answer(ctx->call, 200,
                  shodai_answer_json(shodai_webhook_json(ctx->emulator->ledger, webhook)));
    ledger_endpoint_free(&webhook);
}

static void shodai_answer_changed(struct api_context *ctx, struct ledger_endpoint *webhook)
{
    struct ledger *ledger = ctx->emulator->ledger;

    webhook->updated_us = clock_wall_us();
    if (ledger_change_endpoint(ledger, webhook))
        shodai_answer(ctx->call, 200, shodai_answer_json(shodai_webhook_json(ledger, webhook)));
    else
        shodai_refuse_broken(ctx, ledger_why(ledger));
}

static void shodai_update_webhook(struct api_context *ctx)
{
    struct ledger_endpoint *webhook = shodai_find_webhook(ctx);
    cJSON *body = webhook != NULL ? shodai_read_body(ctx, shodai_update_form) : NULL;
    const cJSON *status = json_get(body, "status");

    if (status != NULL)
        webhook->enabled = strcmp(status->valuestring, "active") == 0;
    if (body != NULL && shodai_apply_body(webhook, body))
        shodai_answer_changed(ctx, webhook);
    else if (body != NULL)
        shodai_refuse_broken(ctx, "out of memory");
    ledger_endpoint_free(&webhook);
    cJSON_Delete(body);
}

static void shodai_disable_webhook(struct api_context *ctx)
{
    struct ledger_endpoint *webhook = shodai_find_webhook(ctx);

    if (webhook == NULL)
        return;
    webhook->enabled = false;
    shodai_answer_changed(ctx, webhook);
    ledger_endpoint_free(&webhook);
}

/* ---- test */

static void shodai_on_first_attempt(void *data, const struct dispatch_attempt *attempt)
{
    cJSON *result = cJSON_CreateObject();
    char error[32];

    cJSON_AddBoolToObject(result, "ok", attempt->succeeded);
    cJSON_AddStringToObject(result, "deliveryId", attempt->delivery_id);
    cJSON_AddStringToObject(result, "status",
                            shodai_traits.status_names[attempt->succeeded    ? 2
                                                       : attempt->will_retry ? 3
                                                                             : 4]);
    if (attempt->status > 0)
        cJSON_AddNumberToObject(result, "responseStatus", attempt->status);
    if (!attempt->succeeded) {
        snprintf(error, sizeof(error), "HTTP %d", attempt->status);
        cJSON_AddStringToObject(result, "error", attempt->error != NULL ? attempt->error : error);
    }
    shodai_answer(data, 201, shodai_answer_json(result));
}

/* Answers before the first attempt. */
static void shodai_answer_pending(struct api_call *call, const char *delivery_id)
{
    cJSON *result = cJSON_CreateObject();

    cJSON_AddBoolToObject(result, "ok", false);
    cJSON_AddStringToObject(result, "deliveryId", delivery_id);
    cJSON_AddStringToObject(result, "status", shodai_traits.status_names[0]);
    shodai_answer(call, 201, shodai_answer_json(result));
}

static void shodai_send_test(struct api_context *ctx)
{
    struct ledger_endpoint *webhook = shodai_find_webhook(ctx);
    struct faults faults;
    struct dispatch_batch batch;
    char why[FAULTS_WHY_SIZE];

    if (webhook == NULL)
        return;
    if (!dispatch_test_faults(ctx->call, webhook, &faults, why))
        shodai_refuse(ctx->call, 400, "validation_error", why);
    else if (!dispatch_test_send(ctx->emulator, webhook, &shodai_traits, &faults,
                                 faults.delay_s > 0 ? NULL : shodai_on_first_attempt, ctx->call,
                                 &batch, why))
        shodai_refuse_broken(ctx, why);
    else if (faults.delay_s > 0)
        shodai_answer_pending(ctx->call, batch.delivery_ids[0]);
    ledger_endpoint_free(&webhook);
}

/* ---- routes */

static const struct api_route shodai_routes[] = {
    {"POST", "/v0/webhooks", RIGHT_WRITE, shodai_create_webhook},
    {"GET", "/v0/webhooks", RIGHT_READ, shodai_list_webhooks},
    {"GET", "/v0/webhooks/{}", RIGHT_READ, shodai_get_webhook},
    {"PATCH", "/v0/webhooks/{}", RIGHT_WRITE, shodai_update_webhook},
    {"DELETE", "/v0/webhooks/{}", RIGHT_WRITE, shodai_disable_webhook},
    {"POST", "/v0/webhooks/{}/test", RIGHT_WRITE, shodai_send_test},
    {NULL, NULL, 0, NULL}};

/* Returns false after a refusal. */
static bool shodai_authorize(struct api_context *ctx, unsigned right)
{
    const char *text = api_header(ctx->call, "x-api-key");
    char message[80];

    if (text == NULL || text[0] == '\0')
        text = api_bearer_token(ctx->call);
    if (text == NULL) {
        shodai_refuse(ctx->call, 401, "unauthorized", "Missing API key");
        return false;
    }
    ctx->key = keys_find(ctx->emulator->keys, "shodai", text);
    if (ctx->key == NULL) {
        shodai_refuse(ctx->call, 401, "unauthorized", "Invalid API key");
        return false;
    }
    snprintf(message, sizeof(message), "%s for scope %s",
             ctx->key->right == KEY_UNPAID ? "Paid entitlement required" : "Missing entitlement",
             right == RIGHT_READ ? "webhooks.read" : "webhooks.write");
    if (ctx->key->right == KEY_UNPAID)
        shodai_refuse(ctx->call, 402, "payment_required", message);
    else if (ctx->key->right == KEY_FORBIDDEN)
        shodai_refuse(ctx->call, 403, "forbidden", message);
    else
        return true;
    return false;
}

static void shodai_refuse_method(struct api_call *call, const char *methods)
{
    api_answer_with(call, 405,
                    shodai_error_json(call, "method_not_allowed", "Method not allowed", NULL),
                    "allow", methods);
}

static void shodai_refuse_path(struct api_call *call)
{
    shodai_refuse(call, 404, "not_found", "Not found");
}

bool shodai_handle(struct emulator *emulator, struct api_call *call)
{
    static const struct api_route_table api = {"/v0", shodai_routes, shodai_authorize,
                                               shodai_refuse_method, shodai_refuse_path};

    return api_route_table_serve(&api, emulator, call);
}
