/* SPDX-License-Identifier: MIT
 *
 * trulayer.c - TruLayer's API by its OpenAPI document and guide. Where they are silent: every role
 * may list, and a disabled webhook can be tested.
 */
#include "cli/emulator/emulator.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <hookline.h>

#include "cli/emulator/api.h"
#include "cli/emulator/delivery.h"
#include "cli/emulator/form.h"
#include "cli/emulator/keys.h"
#include "cli/emulator/ledger.h"
#include "cli/record.h"
#include "daemon/base/ids.h"

enum {
    RIGHT_VIEWER,
    RIGHT_MEMBER,
    RIGHT_OWNER,
};

static const struct dispatch_traits trulayer_traits = {
    .delivery_prefix = NULL,
    .status_names = {"", "", "", "", ""},
    .timeout_s = 10,
};

static const char *const trulayer_default_events[] = {"failure.detected", NULL};

static const struct form_field trulayer_create_form[] = {
    {.name = "url", .kind = FORM_URL, .required = true},
    {.name = "secret", .kind = FORM_TEXT, .required = true, .least = 16},
    {.name = "events", .kind = FORM_TEXTS},
    {.name = "enabled", .kind = FORM_BOOL},
    {.name = NULL}};

/* ---- answers */

static cJSON *trulayer_error_json(const char *text)
{
    cJSON *answer = cJSON_CreateObject();

    cJSON_AddStringToObject(answer, "error", text);
    return answer;
}

static void trulayer_refuse(struct api_call *call, int status, const char *text)
{
    api_answer(call, status, trulayer_error_json(text));
}

/* All webhooks belong to one account, made once and kept. */
static void trulayer_json_tenant(struct ledger *ledger, cJSON *object)
{
    char fresh[IDS_SIZE], kept[IDS_SIZE];

    ids_make_uuid(fresh);
    if (!ledger_setting(ledger, "trulayer.tenant", fresh, kept, sizeof(kept)))
        snprintf(kept, sizeof(kept), "%s", fresh);
    cJSON_AddStringToObject(object, "tenant_id", kept);
}

static cJSON *trulayer_webhook_json(struct ledger *ledger, const struct ledger_endpoint *webhook)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddStringToObject(object, "id", webhook->id);
    trulayer_json_tenant(ledger, object);
    cJSON_AddStringToObject(object, "url", webhook->url);
    cJSON_AddItemToObject(object, "events",
                          ledger_endpoint_event_types(webhook, trulayer_default_events));
    cJSON_AddBoolToObject(object, "enabled", webhook->enabled);
    api_json_time(object, "created_at", webhook->created_us);
    api_json_time(object, "updated_at", webhook->updated_us);
    return object;
}

static void trulayer_refuse_form(struct api_call *call, const struct form_problem *problem)
{
    char text[FORM_NAME_SIZE + FORM_EXPECTED_SIZE + 16];

    if (problem->issue == FORM_MISSING)
        snprintf(text, sizeof(text), "%s is required", problem->name);
    else
        snprintf(
            text, sizeof(text), "%s must be %s%s",
            problem->name[0] != '\0' ? problem->name : "body",
            strncmp(problem->expected, "at least", 8) == 0 ? "" : "valid: ", problem->expected);
    trulayer_refuse(call, 400, text);
}

/* Returns false after a refusal. */
static bool trulayer_accept_url(struct api_context *ctx, const char *url)
{
    if (!ctx->emulator->strict_urls)
        return true;
    switch (public_url_check(url)) {
    case PUBLIC_URL_GOOD:
        return true;
    case PUBLIC_URL_NOT_HTTPS:
        trulayer_refuse(ctx->call, 422, "webhook.url.not_https");
        break;
    case PUBLIC_URL_PRIVATE_IP:
        trulayer_refuse(ctx->call, 422, "webhook.url.private_ip");
        break;
    case PUBLIC_URL_UNRESOLVABLE:
        trulayer_refuse(ctx->call, 422, "webhook.url.unresolvable");
        break;
    }
    return false;
}

/* The client chooses the secret; the scheme may be unable to sign with it. */
static bool trulayer_accept_secret(struct api_context *ctx, const char *secret)
{
    hookline_verifier *verifier;
    int code = hookline_verifier_new(&verifier, "trulayer", secret);

    hookline_verifier_free(&verifier);
    if (code < 0)
        trulayer_refuse(ctx->call, 400,
                        "secret must be at most 512 bytes long, without white space at its ends");
    return code == 0;
}

/* ---- operations */

/* Returns the checked body for cJSON_Delete(); NULL after a refusal. */
static cJSON *trulayer_read_body(struct api_context *ctx)
{
    const struct api_request *request = api_request(ctx->call);
    cJSON *body = form_parse(request->body, request->len);
    struct form_problems problems;

    if (body == NULL)
        trulayer_refuse(ctx->call, 400, "invalid JSON body");
    else if (!form_check(trulayer_create_form, body, false, &problems))
        trulayer_refuse_form(ctx->call, &problems.items[0]);
    else if (trulayer_accept_secret(ctx, json_get_text(body, "secret")) &&
             trulayer_accept_url(ctx, json_get_text(body, "url")))
        return body;
    cJSON_Delete(body);
    return NULL;
}

static struct ledger_endpoint *trulayer_new_webhook(struct api_context *ctx, const cJSON *body)
{
    const cJSON *events = json_get(body, "events");
    const cJSON *enabled = json_get(body, "enabled");
    struct ledger_endpoint *webhook;
    cJSON *usual = ledger_text_array(trulayer_default_events);
    char id[IDS_SIZE];

    ids_make_uuid(id);
    webhook =
        ledger_endpoint_new("trulayer", id, json_get_text(body, "secret"), ctx->emulator->faults);
    if (webhook != NULL &&
        (!ledger_set_text(&webhook->url, json_get_text(body, "url")) ||
         !ledger_endpoint_detail_set(webhook, "events", events != NULL ? events : usual)))
        ledger_endpoint_free(&webhook);
    if (webhook != NULL)
        webhook->enabled = enabled == NULL || cJSON_IsTrue(enabled);
    cJSON_Delete(usual);
    return webhook;
}

static void trulayer_create_webhook(struct api_context *ctx)
{
    struct ledger *ledger = ctx->emulator->ledger;
    cJSON *body = trulayer_read_body(ctx);
    struct ledger_endpoint *webhook;

    if (body == NULL)
        return;
    webhook = trulayer_new_webhook(ctx, body);
    cJSON_Delete(body);
    if (webhook == NULL)
        trulayer_refuse(ctx->call, 500, "out of memory");
    else if (!ledger_add_endpoint(ledger, webhook))
        trulayer_refuse(ctx->call, 500, ledger_why(ledger));
    else
        api_answer(ctx->call, 201, trulayer_webhook_json(ledger, webhook));
    ledger_endpoint_free(&webhook);
}

static void trulayer_list_webhooks(struct api_context *ctx)
{
    struct ledger *ledger = ctx->emulator->ledger;
    cJSON *answer = cJSON_CreateObject(), *items = cJSON_AddArrayToObject(answer, "webhooks");
    struct ledger_endpoint *webhook;

    for (size_t i = 0; (webhook = ledger_endpoint_at(ledger, "trulayer", i)) != NULL; i++) {
        cJSON_InsertItemInArray(items, 0, trulayer_webhook_json(ledger, webhook));
        ledger_endpoint_free(&webhook);
    }
    if (ledger_failed(ledger)) {
        cJSON_Delete(answer);
        trulayer_refuse(ctx->call, 500, ledger_why(ledger));
        return;
    }
    api_answer(ctx->call, 200, answer);
}

/* Returns the webhook of the path, whose UUID may be in upper case; NULL after a refusal. */
static struct ledger_endpoint *trulayer_find_webhook(struct api_context *ctx)
{
    struct ledger *ledger = ctx->emulator->ledger;
    struct ledger_endpoint *webhook;
    char *id = ctx->parts[0];

    for (char *at = id; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    if (!id_is_uuid(id)) {
        trulayer_refuse(ctx->call, 404, "webhook not found");
        return NULL;
    }
    webhook = ledger_endpoint(ledger, "trulayer", id);
    if (webhook == NULL && ledger_failed(ledger))
        trulayer_refuse(ctx->call, 500, ledger_why(ledger));
    else if (webhook == NULL)
        trulayer_refuse(ctx->call, 404, "webhook not found");
    return webhook;
}

static void trulayer_delete_webhook(struct api_context *ctx)
{
    struct ledger_endpoint *webhook = trulayer_find_webhook(ctx);
    struct ledger *ledger = ctx->emulator->ledger;

    if (webhook == NULL)
        return;
    if (ledger_remove_endpoint(ledger, "trulayer", webhook->id))
        api_answer(ctx->call, 204, NULL);
    else
        trulayer_refuse(ctx->call, 500, ledger_why(ledger));
    ledger_endpoint_free(&webhook);
}

static void trulayer_on_first_attempt(void *data, const struct dispatch_attempt *attempt)
{
    cJSON *answer = cJSON_CreateObject();

    cJSON_AddNumberToObject(answer, "status", attempt->status);
    cJSON_AddStringToObject(answer, "body", attempt->status > 0 ? attempt->body : "");
    api_answer(data, 200, answer);
}

static void trulayer_send_test(struct api_context *ctx)
{
    struct ledger_endpoint *webhook = trulayer_find_webhook(ctx);
    struct faults faults;
    struct dispatch_batch batch;
    char why[FAULTS_WHY_SIZE];

    if (webhook == NULL)
        return;
    if (!dispatch_test_faults(ctx->call, webhook, &faults, why))
        trulayer_refuse(ctx->call, 400, why);
    else if (trulayer_accept_url(ctx, webhook->url) &&
             !dispatch_test_send(ctx->emulator, webhook, &trulayer_traits, &faults,
                                 trulayer_on_first_attempt, ctx->call, &batch, why))
        trulayer_refuse(ctx->call, 500, why);
    ledger_endpoint_free(&webhook);
}

/* ---- routes */

static const struct api_route trulayer_routes[] = {
    {"GET", "/v1/webhooks", RIGHT_VIEWER, trulayer_list_webhooks},
    {"POST", "/v1/webhooks", RIGHT_MEMBER, trulayer_create_webhook},
    {"DELETE", "/v1/webhooks/{}", RIGHT_OWNER, trulayer_delete_webhook},
    {"POST", "/v1/webhooks/{}/test", RIGHT_MEMBER, trulayer_send_test},
    {NULL, NULL, 0, NULL}};

static unsigned trulayer_key_role(const struct key *key)
{
    return key->right == KEY_VIEWER   ? RIGHT_VIEWER
           : key->right == KEY_MEMBER ? RIGHT_MEMBER
                                      : RIGHT_OWNER;
}

/* Returns false after a refusal. */
static bool trulayer_authorize(struct api_context *ctx, unsigned right)
{
    const char *bearer = api_bearer_token(ctx->call);

    if (bearer != NULL)
        ctx->key = keys_find(ctx->emulator->keys, "trulayer", bearer);
    if (ctx->key == NULL)
        trulayer_refuse(ctx->call, 401, "missing or invalid credentials");
    else if (ctx->key->right == KEY_FREE)
        trulayer_refuse(ctx->call, 403, "webhooks need the Pro plan or above");
    else if (trulayer_key_role(ctx->key) < right)
        trulayer_refuse(ctx->call, 403, "insufficient role");
    else
        return true;
    return false;
}

static void trulayer_refuse_method(struct api_call *call, const char *methods)
{
    api_answer_with(call, 405, trulayer_error_json("method not allowed"), "allow", methods);
}

static void trulayer_refuse_path(struct api_call *call)
{
    trulayer_refuse(call, 404, "not found");
}

bool trulayer_handle(struct emulator *emulator, struct api_call *call)
{
    static const struct api_route_table api = {"/v1/webhooks", trulayer_routes, trulayer_authorize,
                                               trulayer_refuse_method, trulayer_refuse_path};

    return api_route_table_serve(&api, emulator, call);
}
