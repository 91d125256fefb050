/* SPDX-License-Identifier: MIT
 *
 * What TruLayer's OpenAPI and guide say; where they leave something open this does what is least
 * surprising: every role may list, and a webhook that is not enabled can be tested.
 */
#include "cli/emulator/emulator.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <hookline.h>

#include "daemon/base/iso_time.h"
#include "cli/emulator/detail.h"
#include "cli/emulator/form.h"
#include "daemon/base/identity.h"
#include "cli/emulator/keys.h"
#include "cli/emulator/ledger.h"
#include "cli/emulator/pattern.h"
#include "cli/emulator/public_url.h"
#include "cli/emulator/route.h"
#include "cli/emulator/trial.h"

enum {
    RIGHT_VIEWER,
    RIGHT_MEMBER,
    RIGHT_OWNER,
};

static const struct trial_manner manner = {
    .delivery_prefix = NULL,
    .status_names = {"", "", "", "", ""},
    .timeout_s = 10,
};

static const char *const usual_events[] = {"failure.detected", NULL};

static const struct form_field create_form[] = {
    {.name = "url", .kind = FORM_URL, .required = true},
    {.name = "secret", .kind = FORM_TEXT, .required = true, .least = 16},
    {.name = "events", .kind = FORM_TEXTS},
    {.name = "enabled", .kind = FORM_BOOL},
    {.name = NULL}};

/* ---- answers */

static cJSON *refusal(const char *text)
{
    cJSON *answer = cJSON_CreateObject();

    cJSON_AddStringToObject(answer, "error", text);
    return answer;
}

static void refuse(struct api_call *call, int status, const char *text)
{
    api_answer(call, status, refusal(text));
}

static void add_time(cJSON *object, const char *key, int64_t us)
{
    char text[ISO_TIME_SIZE];

    iso_time_write(text, us);
    cJSON_AddStringToObject(object, key, text);
}

/* The account that all webhooks belong to; made once, and kept. */
static void add_tenant(struct ledger *ledger, cJSON *object)
{
    char fresh[IDENTITY_SIZE], kept[IDENTITY_SIZE];

    identity_uuid(fresh);
    if (!ledger_setting(ledger, "trulayer.tenant", fresh, kept, sizeof(kept)))
        snprintf(kept, sizeof(kept), "%s", fresh);
    cJSON_AddStringToObject(object, "tenant_id", kept);
}

static cJSON *webhook_json(struct ledger *ledger, const struct ledger_endpoint *webhook)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddStringToObject(object, "id", webhook->id);
    add_tenant(ledger, object);
    cJSON_AddStringToObject(object, "url", webhook->url);
    cJSON_AddItemToObject(object, "events", detail_events(webhook, usual_events));
    cJSON_AddBoolToObject(object, "enabled", webhook->enabled);
    add_time(object, "created_at", webhook->created_us);
    add_time(object, "updated_at", webhook->updated_us);
    return object;
}

static void refuse_form(struct api_call *call, const struct form_problem *problem)
{
    char text[FORM_NAME_SIZE + FORM_EXPECTED_SIZE + 16];

    if (problem->issue == FORM_MISSING)
        snprintf(text, sizeof(text), "%s is required", problem->name);
    else
        snprintf(
            text, sizeof(text), "%s must be %s%s",
            problem->name[0] != '\0' ? problem->name : "body",
            strncmp(problem->expected, "at least", 8) == 0 ? "" : "valid: ", problem->expected);
    refuse(call, 400, text);
}

/* Whether deliveries can go there; else it has been refused. */
static bool accept_url(struct visit *visit, const char *url)
{
    if (!visit->emulator->strict_urls)
        return true;
    switch (public_url_check(url)) {
    case PUBLIC_URL_GOOD:
        return true;
    case PUBLIC_URL_NOT_HTTPS:
        refuse(visit->call, 422, "webhook.url.not_https");
        break;
    case PUBLIC_URL_PRIVATE_IP:
        refuse(visit->call, 422, "webhook.url.private_ip");
        break;
    case PUBLIC_URL_UNRESOLVABLE:
        refuse(visit->call, 422, "webhook.url.unresolvable");
        break;
    }
    return false;
}

/* The client chooses the secret, so it may be one that nothing can be signed with. */
static bool accept_secret(struct visit *visit, const char *secret)
{
    hookline_verifier *verifier;
    int code = hookline_verifier_new(&verifier, "trulayer", secret);

    hookline_verifier_free(&verifier);
    if (code < 0)
        refuse(visit->call, 400,
               "secret must be at most 512 bytes long, without white space at its ends");
    return code == 0;
}

/* ---- operations */

/* The body as the form says, for cJSON_Delete(); NULL: it has been refused. */
static cJSON *read_body(struct visit *visit)
{
    const struct api_request *request = api_request(visit->call);
    cJSON *body = form_parse(request->body, request->len);
    struct form_problems problems;

    if (body == NULL)
        refuse(visit->call, 400, "invalid JSON body");
    else if (!form_check(create_form, body, false, &problems))
        refuse_form(visit->call, &problems.items[0]);
    else if (accept_secret(
                 visit, cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(body, "secret"))) &&
             accept_url(visit, cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(body, "url"))))
        return body;
    cJSON_Delete(body);
    return NULL;
}

static struct ledger_endpoint *new_webhook(struct visit *visit, const cJSON *body)
{
    const cJSON *events = cJSON_GetObjectItemCaseSensitive(body, "events");
    const cJSON *enabled = cJSON_GetObjectItemCaseSensitive(body, "enabled");
    struct ledger_endpoint *webhook;
    cJSON *usual = detail_texts(usual_events);
    char id[IDENTITY_SIZE];

    identity_uuid(id);
    webhook = detail_new("trulayer", id,
                         cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(body, "secret")),
                         visit->emulator->faults);
    if (webhook != NULL &&
        (!detail_text(&webhook->url,
                      cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(body, "url"))) ||
         !detail_set(webhook, "events", events != NULL ? events : usual)))
        ledger_endpoint_free(&webhook);
    if (webhook != NULL)
        webhook->enabled = enabled == NULL || cJSON_IsTrue(enabled);
    cJSON_Delete(usual);
    return webhook;
}

static void create_webhook(struct visit *visit)
{
    struct ledger *ledger = visit->emulator->ledger;
    cJSON *body = read_body(visit);
    struct ledger_endpoint *webhook;

    if (body == NULL)
        return;
    webhook = new_webhook(visit, body);
    cJSON_Delete(body);
    if (webhook == NULL)
        refuse(visit->call, 500, "out of memory");
    else if (!ledger_add_endpoint(ledger, webhook))
        refuse(visit->call, 500, ledger_why(ledger));
    else
        api_answer(visit->call, 201, webhook_json(ledger, webhook));
    ledger_endpoint_free(&webhook);
}

static void list_webhooks(struct visit *visit)
{
    struct ledger *ledger = visit->emulator->ledger;
    cJSON *answer = cJSON_CreateObject(), *items = cJSON_AddArrayToObject(answer, "webhooks");
    struct ledger_endpoint *webhook;

    for (size_t i = 0; (webhook = ledger_endpoint_at(ledger, "trulayer", i)) != NULL; i++) {
        cJSON_InsertItemInArray(items, 0, webhook_json(ledger, webhook));
        ledger_endpoint_free(&webhook);
    }
    if (ledger_failed(ledger)) {
        cJSON_Delete(answer);
        refuse(visit->call, 500, ledger_why(ledger));
        return;
    }
    api_answer(visit->call, 200, answer);
}

/* The webhook of the path, whose UUID may be written in upper case; NULL: it has been refused. */
static struct ledger_endpoint *find_webhook(struct visit *visit)
{
    struct ledger *ledger = visit->emulator->ledger;
    struct ledger_endpoint *webhook;
    char *id = visit->parts[0];

    for (char *at = id; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    if (!pattern_uuid(id)) {
        refuse(visit->call, 404, "webhook not found");
        return NULL;
    }
    webhook = ledger_endpoint(ledger, "trulayer", id);
    if (webhook == NULL && ledger_failed(ledger))
        refuse(visit->call, 500, ledger_why(ledger));
    else if (webhook == NULL)
        refuse(visit->call, 404, "webhook not found");
    return webhook;
}

static void delete_webhook(struct visit *visit)
{
    struct ledger_endpoint *webhook = find_webhook(visit);
    struct ledger *ledger = visit->emulator->ledger;

    if (webhook == NULL)
        return;
    if (ledger_remove_endpoint(ledger, "trulayer", webhook->id))
        api_answer(visit->call, 204, NULL);
    else
        refuse(visit->call, 500, ledger_why(ledger));
    ledger_endpoint_free(&webhook);
}

static void after_attempt(void *data, const struct dispatch_attempt *attempt)
{
    cJSON *answer = cJSON_CreateObject();

    cJSON_AddNumberToObject(answer, "status", attempt->status);
    cJSON_AddStringToObject(answer, "body", attempt->status > 0 ? attempt->body : "");
    api_answer(data, 200, answer);
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
        refuse(visit->call, 400, why);
    else if (accept_url(visit, webhook->url) &&
             !trial_send(visit->emulator, webhook, &manner, &faults, after_attempt, visit->call,
                         &trial, why))
        refuse(visit->call, 500, why);
    ledger_endpoint_free(&webhook);
}

/* ---- routes */

static const struct route routes[] = {{"GET", "/v1/webhooks", RIGHT_VIEWER, list_webhooks},
                                      {"POST", "/v1/webhooks", RIGHT_MEMBER, create_webhook},
                                      {"DELETE", "/v1/webhooks/{}", RIGHT_OWNER, delete_webhook},
                                      {"POST", "/v1/webhooks/{}/test", RIGHT_MEMBER, send_test},
                                      {NULL, NULL, 0, NULL}};

static unsigned role_of(const struct key *key)
{
    return key->right == KEY_VIEWER   ? RIGHT_VIEWER
           : key->right == KEY_MEMBER ? RIGHT_MEMBER
                                      : RIGHT_OWNER;
}

/* False: it has been refused. */
static bool admit(struct visit *visit, unsigned right)
{
    const char *bearer = route_bearer(visit->call);

    if (bearer != NULL)
        visit->key = keys_find(visit->emulator->keys, "trulayer", bearer);
    if (visit->key == NULL)
        refuse(visit->call, 401, "missing or invalid credentials");
    else if (visit->key->right == KEY_FREE)
        refuse(visit->call, 403, "webhooks need the Pro plan or above");
    else if (role_of(visit->key) < right)
        refuse(visit->call, 403, "insufficient role");
    else
        return true;
    return false;
}

static void refuse_method(struct api_call *call, const char *methods)
{
    api_answer_with(call, 405, refusal("method not allowed"), "allow", methods);
}

static void refuse_path(struct api_call *call)
{
    refuse(call, 404, "not found");
}

bool trulayer_handle(struct emulator *emulator, struct api_call *call)
{
    static const struct routes api = {"/v1/webhooks", routes, admit, refuse_method, refuse_path};

    return routes_serve(&api, emulator, call);
}
