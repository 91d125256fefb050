/* SPDX-License-Identifier: MIT
 *
 * What Shodai's documentation of its Agreements API says; where it leaves something open this does
 * what is least surprising: disabled webhooks stay in the list, and can be tested.
 */
#include "cli/emulator/emulator.h"

#include <stdio.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/iso_time.h"
#include "cli/emulator/detail.h"
#include "cli/emulator/form.h"
#include "daemon/base/identity.h"
#include "cli/emulator/keys.h"
#include "cli/emulator/ledger.h"
#include "cli/emulator/public_url.h"
#include "cli/emulator/route.h"
#include "cli/emulator/trial.h"

enum {
    RIGHT_READ,  /* webhooks.read */
    RIGHT_WRITE, /* webhooks.write */
    PAGE_SIZE = 25,
};

static const struct trial_manner manner = {
    .delivery_prefix = "whd_",
    .status_names = {"pending", "pending", "succeeded", "retry_pending", "failed"},
    .retries = true,
    .timeout_s = 10,
};

static const char *const event_types[] = {"agreement.transitioned",
                                          "agreement.notification.triggered", NULL};
static const char *const usual_events[] = {"agreement.transitioned", NULL};
static const char *const statuses[] = {"active", "disabled", NULL};

static const struct form_field filters_form[] = {{.name = "agreementIds", .kind = FORM_TEXTS},
                                                 {.name = "templateIds", .kind = FORM_TEXTS},
                                                 {.name = "inputIds", .kind = FORM_TEXTS},
                                                 {.name = "fromStates", .kind = FORM_TEXTS},
                                                 {.name = "toStates", .kind = FORM_TEXTS},
                                                 {.name = "ruleIds", .kind = FORM_TEXTS},
                                                 {.name = NULL}};

static const struct form_field create_form[] = {
    {.name = "url", .kind = FORM_URL, .required = true},
    {.name = "eventTypes", .kind = FORM_TEXTS, .nullable = true, .allowed = event_types},
    {.name = "filters", .kind = FORM_OBJECT, .nullable = true, .fields = filters_form},
    {.name = NULL}};

static const struct form_field update_form[] = {
    {.name = "url", .kind = FORM_URL},
    {.name = "status", .kind = FORM_TEXT, .allowed = statuses},
    {.name = "eventTypes", .kind = FORM_TEXTS, .nullable = true, .allowed = event_types},
    {.name = "filters", .kind = FORM_OBJECT, .nullable = true, .fields = filters_form},
    {.name = NULL}};

/* ---- answers */

static void add_time(cJSON *object, const char *key, int64_t us)
{
    char text[ISO_TIME_SIZE];

    iso_time_write(text, us);
    cJSON_AddStringToObject(object, key, text);
}

static cJSON *new_answer(cJSON *data)
{
    cJSON *answer = cJSON_CreateObject();

    cJSON_AddItemToObject(answer, "data", data);
    return answer;
}

static void answer_with(struct api_call *call, int status, cJSON *answer)
{
    cJSON *meta = cJSON_AddObjectToObject(answer, "meta");
    char id[IDENTITY_SIZE];

    identity_hex(id, "req_");
    cJSON_AddStringToObject(meta, "apiVersion", "v0");
    cJSON_AddStringToObject(meta, "requestId", id);
    api_answer(call, status, answer);
}

static cJSON *refusal(const char *code, const char *message, cJSON *details)
{
    cJSON *answer = cJSON_CreateObject(), *error = cJSON_AddObjectToObject(answer, "error");
    char id[IDENTITY_SIZE];

    identity_hex(id, "req_");
    cJSON_AddStringToObject(error, "code", code);
    cJSON_AddStringToObject(error, "message", message);
    if (details != NULL)
        cJSON_AddItemToObject(error, "details", details);
    cJSON_AddStringToObject(error, "requestId", id);
    return answer;
}

static void refuse(struct api_call *call, int status, const char *code, const char *message)
{
    api_answer(call, status, refusal(code, message, NULL));
}

static void refuse_broken(struct visit *visit, const char *why)
{
    refuse(visit->call, 500, "internal_error", why);
}

static void refuse_form(struct api_call *call, const struct form_problems *problems)
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
    api_answer(call, 400, refusal("validation_error", "Invalid request body", details));
}

/* The account that all webhooks belong to; made once, and kept. */
static void add_principal(struct ledger *ledger, cJSON *object)
{
    char fresh[IDENTITY_SIZE], kept[IDENTITY_SIZE];

    identity_hex(fresh, "principal_");
    if (!ledger_setting(ledger, "shodai.principal", fresh, kept, sizeof(kept)))
        snprintf(kept, sizeof(kept), "%s", fresh);
    cJSON_AddStringToObject(object, "principalId", kept);
}

static cJSON *webhook_json(struct ledger *ledger, const struct ledger_endpoint *webhook)
{
    cJSON *object = cJSON_CreateObject(), *filters = detail_get(webhook, "filters");

    cJSON_AddStringToObject(object, "id", webhook->id);
    add_principal(ledger, object);
    cJSON_AddStringToObject(object, "url", webhook->url);
    cJSON_AddStringToObject(object, "status", webhook->enabled ? "active" : "disabled");
    cJSON_AddItemToObject(object, "eventTypes", detail_events(webhook, event_types));
    if (filters != NULL)
        cJSON_AddItemToObject(object, "filters", filters);
    add_time(object, "createdAt", webhook->created_us);
    add_time(object, "updatedAt", webhook->updated_us);
    return object;
}

/* ---- operations */

/* The body as the form says, for cJSON_Delete(); NULL: it has been refused. */
static cJSON *read_body(struct visit *visit, const struct form_field *form)
{
    const struct api_request *request = api_request(visit->call);
    cJSON *body = form_parse(request->body, request->len), *url;
    struct form_problems problems;

    if (body == NULL) {
        refuse(visit->call, 400, "validation_error", "Request body is not valid JSON");
        return NULL;
    }
    if (form_check(form, body, false, &problems)) {
        url = cJSON_GetObjectItemCaseSensitive(body, "url");
        if (!visit->emulator->strict_urls || url == NULL || public_url_is_https(url->valuestring))
            return body;
        problems.count = 1;
        problems.items[0] = (struct form_problem){
            .name = "url", .issue = FORM_NO_URL, .expected = "an https URL", .received = url};
    }
    refuse_form(visit->call, &problems);
    cJSON_Delete(body);
    return NULL;
}

/* Only what is known, as the API would keep it. */
static bool take_filters(struct ledger_endpoint *webhook, const cJSON *filters)
{
    cJSON *known = cJSON_IsObject(filters) ? cJSON_CreateObject() : NULL;
    bool good;

    for (const struct form_field *f = filters_form; known != NULL && f->name != NULL; f++) {
        const cJSON *values = cJSON_GetObjectItemCaseSensitive(filters, f->name);

        if (values != NULL)
            cJSON_AddItemToObject(known, f->name, cJSON_Duplicate(values, 1));
    }
    good = detail_set(webhook, "filters", known);
    cJSON_Delete(known);
    return good;
}

static bool take_events(struct ledger_endpoint *webhook, const cJSON *types)
{
    cJSON *usual;
    bool good;

    if (cJSON_GetArraySize(types) > 0)
        return detail_set(webhook, "events", types);
    usual = detail_texts(usual_events);
    good = detail_set(webhook, "events", usual);
    cJSON_Delete(usual);
    return good;
}

static bool take_body(struct ledger_endpoint *webhook, const cJSON *body)
{
    const cJSON *url = cJSON_GetObjectItemCaseSensitive(body, "url");
    const cJSON *types = cJSON_GetObjectItemCaseSensitive(body, "eventTypes");
    const cJSON *filters = cJSON_GetObjectItemCaseSensitive(body, "filters");

    return (types == NULL || take_events(webhook, types)) &&
           (filters == NULL || take_filters(webhook, filters)) &&
           (url == NULL || detail_text(&webhook->url, url->valuestring));
}

static struct ledger_endpoint *find_webhook(struct visit *visit)
{
    struct ledger *ledger = visit->emulator->ledger;
    struct ledger_endpoint *webhook = ledger_endpoint(ledger, "shodai", visit->parts[0]);

    if (webhook == NULL && ledger_failed(ledger))
        refuse_broken(visit, ledger_why(ledger));
    else if (webhook == NULL)
        refuse(visit->call, 404, "not_found", "Webhook subscription not found");
    return webhook;
}

static struct ledger_endpoint *new_webhook(struct visit *visit, const cJSON *body)
{
    char id[IDENTITY_SIZE], secret[IDENTITY_SIZE];
    struct ledger_endpoint *webhook;

    identity_hex(id, "wh_");
    identity_secret(secret);
    webhook = detail_new("shodai", id, secret, visit->emulator->faults);
    if (webhook != NULL && (!take_events(webhook, NULL) || !take_body(webhook, body)))
        ledger_endpoint_free(&webhook);
    return webhook;
}

static void create_webhook(struct visit *visit)
{
    struct ledger *ledger = visit->emulator->ledger;
    cJSON *body = read_body(visit, create_form), *data;
    struct ledger_endpoint *webhook;

    if (body == NULL)
        return;
    webhook = new_webhook(visit, body);
    cJSON_Delete(body);
    if (webhook == NULL) {
        refuse_broken(visit, "out of memory");
    } else if (!ledger_add_endpoint(ledger, webhook)) {
        refuse_broken(visit, ledger_why(ledger));
    } else {
        data = webhook_json(ledger, webhook);
        cJSON_AddStringToObject(data, "secret", webhook->secret);
        answer_with(visit->call, 201, new_answer(data));
    }
    ledger_endpoint_free(&webhook);
}

static void list_webhooks(struct visit *visit)
{
    struct ledger *ledger = visit->emulator->ledger;
    cJSON *items = cJSON_CreateArray(), *answer = new_answer(items), *page;
    struct ledger_endpoint *webhook;
    int count = 0;

    for (; (webhook = ledger_endpoint_at(ledger, "shodai", (size_t)count)) != NULL; count++) {
        cJSON_InsertItemInArray(items, 0, webhook_json(ledger, webhook));
        ledger_endpoint_free(&webhook);
    }
    if (ledger_failed(ledger)) {
        cJSON_Delete(answer);
        refuse_broken(visit, ledger_why(ledger));
        return;
    }
    /* There is no parameter to ask for a second page with. */
    page = cJSON_AddObjectToObject(answer, "pageInfo");
    cJSON_AddNumberToObject(page, "limit", count > PAGE_SIZE ? count : PAGE_SIZE);
    cJSON_AddNullToObject(page, "nextCursor");
    cJSON_AddNumberToObject(page, "totalCount", count);
    answer_with(visit->call, 200, answer);
}

static void get_webhook(struct visit *visit)
{
    struct ledger_endpoint *webhook = find_webhook(visit);

    if (webhook == NULL)
        return;
    answer_with(visit->call, 200, new_answer(webhook_json(visit->emulator->ledger, webhook)));
    ledger_endpoint_free(&webhook);
}

static void answer_changed(struct visit *visit, struct ledger_endpoint *webhook)
{
    struct ledger *ledger = visit->emulator->ledger;

    webhook->updated_us = clock_wall_us();
    if (ledger_change_endpoint(ledger, webhook))
        answer_with(visit->call, 200, new_answer(webhook_json(ledger, webhook)));
    else
        refuse_broken(visit, ledger_why(ledger));
}

static void update_webhook(struct visit *visit)
{
    struct ledger_endpoint *webhook = find_webhook(visit);
    cJSON *body = webhook != NULL ? read_body(visit, update_form) : NULL;
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(body, "status");

    if (status != NULL)
        webhook->enabled = strcmp(status->valuestring, "active") == 0;
    if (body != NULL && take_body(webhook, body))
        answer_changed(visit, webhook);
    else if (body != NULL)
        refuse_broken(visit, "out of memory");
    ledger_endpoint_free(&webhook);
    cJSON_Delete(body);
}

static void disable_webhook(struct visit *visit)
{
    struct ledger_endpoint *webhook = find_webhook(visit);

    if (webhook == NULL)
        return;
    webhook->enabled = false;
    answer_changed(visit, webhook);
    ledger_endpoint_free(&webhook);
}

/* ---- test */

static void after_attempt(void *data, const struct dispatch_attempt *attempt)
{
    cJSON *result = cJSON_CreateObject();
    char error[32];

    cJSON_AddBoolToObject(result, "ok", attempt->succeeded);
    cJSON_AddStringToObject(result, "deliveryId", attempt->delivery_id);
    cJSON_AddStringToObject(result, "status",
                            manner.status_names[attempt->succeeded    ? 2
                                                : attempt->will_retry ? 3
                                                                      : 4]);
    if (attempt->status > 0)
        cJSON_AddNumberToObject(result, "responseStatus", attempt->status);
    if (!attempt->succeeded) {
        snprintf(error, sizeof(error), "HTTP %d", attempt->status);
        cJSON_AddStringToObject(result, "error", attempt->error != NULL ? attempt->error : error);
    }
    answer_with(data, 201, new_answer(result));
}

static void send_test(struct visit *visit)
{
    struct ledger_endpoint *webhook = find_webhook(visit);
    struct faults faults;
    struct trial trial;
    char why[FAULT_WHY_SIZE];

    if (webhook == NULL)
        return;
    if (!trial_faults(visit->call, webhook, &faults, why))
        refuse(visit->call, 400, "validation_error", why);
    else if (!trial_send(visit->emulator, webhook, &manner, &faults, after_attempt, visit->call,
                         &trial, why))
        refuse_broken(visit, why);
    ledger_endpoint_free(&webhook);
}

/* ---- routes */

static const struct route routes[] = {{"POST", "/v0/webhooks", RIGHT_WRITE, create_webhook},
                                      {"GET", "/v0/webhooks", RIGHT_READ, list_webhooks},
                                      {"GET", "/v0/webhooks/{}", RIGHT_READ, get_webhook},
                                      {"PATCH", "/v0/webhooks/{}", RIGHT_WRITE, update_webhook},
                                      {"DELETE", "/v0/webhooks/{}", RIGHT_WRITE, disable_webhook},
                                      {"POST", "/v0/webhooks/{}/test", RIGHT_WRITE, send_test},
                                      {NULL, NULL, 0, NULL}};

/* False: it has been refused. */
static bool admit(struct visit *visit, unsigned right)
{
    const char *text = api_header(visit->call, "x-api-key");
    char message[80];

    if (text == NULL || text[0] == '\0')
        text = route_bearer(visit->call);
    if (text == NULL) {
        refuse(visit->call, 401, "unauthorized", "Missing API key");
        return false;
    }
    visit->key = keys_find(visit->emulator->keys, "shodai", text);
    if (visit->key == NULL) {
        refuse(visit->call, 401, "unauthorized", "Invalid API key");
        return false;
    }
    snprintf(message, sizeof(message), "%s for scope %s",
             visit->key->right == KEY_UNPAID ? "Paid entitlement required" : "Missing entitlement",
             right == RIGHT_READ ? "webhooks.read" : "webhooks.write");
    if (visit->key->right == KEY_UNPAID)
        refuse(visit->call, 402, "payment_required", message);
    else if (visit->key->right == KEY_FORBIDDEN)
        refuse(visit->call, 403, "forbidden", message);
    else
        return true;
    return false;
}

static void refuse_method(struct api_call *call, const char *methods)
{
    api_answer_with(call, 405, refusal("method_not_allowed", "Method not allowed", NULL), "allow",
                    methods);
}

static void refuse_path(struct api_call *call)
{
    refuse(call, 404, "not_found", "Not found");
}

bool shodai_handle(struct emulator *emulator, struct api_call *call)
{
    static const struct routes api = {"/v0", routes, admit, refuse_method, refuse_path};

    return routes_serve(&api, emulator, call);
}
