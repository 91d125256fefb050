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
#include "daemon/base/identity.h"
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

static const struct trial_manner manner = {
    .delivery_prefix = "wdlv_",
    .status_names = {"pending", "delivering", "succeeded", "pending", "failed"},
    .retries = true,
    .timeout_s = 10,
};

static const char *const statuses[] = {"active", "disabled", NULL};

static const struct form_field create_form[] = {
    {.name = "name", .kind = FORM_TEXT, .required = true, .least = 1},
    {.name = "url", .kind = FORM_URL, .required = true},
    {.name = "event_types",
     .kind = FORM_TEXTS,
     .required = true,
     .least = 1,
     .allowed = foil_event_types},
    {.name = NULL}};

static const struct form_field update_form[] = {
    {.name = "name", .kind = FORM_TEXT, .least = 1},
    {.name = "url", .kind = FORM_URL},
    {.name = "status", .kind = FORM_TEXT, .allowed = statuses},
    {.name = "event_types", .kind = FORM_TEXTS, .least = 1, .allowed = foil_event_types},
    {.name = NULL}};

static void refuse_ledger(struct visit *visit)
{
    foil_refuse_broken(visit->call, ledger_why(visit->emulator->ledger));
}

/* The body as the form says, for cJSON_Delete(); NULL: it has been refused. */
static cJSON *read_body(struct visit *visit, const struct form_field *form)
{
    const struct api_request *request = api_request(visit->call);
    struct form_problems problems;
    cJSON *body = form_parse(request->body, request->len), *url;

    if (body == NULL) {
        foil_refuse(visit->call, 400, "request.invalid_json", "Request body is not valid JSON.",
                    NULL);
        return NULL;
    }
    if (form_check(form, body, true, &problems)) {
        url = cJSON_GetObjectItemCaseSensitive(body, "url");
        if (!visit->emulator->strict_urls || url == NULL || public_url_is_https(url->valuestring))
            return body;
        problems.count = 1;
        problems.items[0] = (struct form_problem){
            .name = "url", .issue = FORM_NO_URL, .expected = "an https URL", .received = url};
    }
    foil_refuse_form(visit->call, &problems, "webhook_endpoint");
    cJSON_Delete(body);
    return NULL;
}

/* The endpoint of the path; NULL: it has been refused. */
static struct ledger_endpoint *find_endpoint(struct visit *visit)
{
    struct ledger *ledger = visit->emulator->ledger;
    struct ledger_endpoint *endpoint;

    if (!pattern_hex(visit->parts[1], "we_")) {
        foil_refuse_path(visit->call);
        return NULL;
    }
    endpoint = ledger_endpoint(ledger, "foil", visit->parts[1]);
    if (endpoint == NULL)
        foil_refuse_missing(visit->call, ledger);
    return endpoint;
}

static void list_endpoints(struct visit *visit)
{
    struct ledger *ledger = visit->emulator->ledger;
    cJSON *items = cJSON_CreateArray();
    struct ledger_endpoint *endpoint;
    bool more;

    for (size_t i = 0; (endpoint = ledger_endpoint_at(ledger, "foil", i)) != NULL; i++) {
        cJSON_InsertItemInArray(items, 0, foil_endpoint_json(endpoint, NULL));
        ledger_endpoint_free(&endpoint);
    }
    if (ledger_failed(ledger)) {
        cJSON_Delete(items);
        refuse_ledger(visit);
        return;
    }
    more = cJSON_GetArraySize(items) > FOIL_LIMIT_MAX;
    while (cJSON_GetArraySize(items) > FOIL_LIMIT_MAX)
        cJSON_DeleteItemFromArray(items, FOIL_LIMIT_MAX);
    foil_answer_list(visit->call, items, FOIL_LIMIT_MAX, more);
}

static bool take_body(struct ledger_endpoint *endpoint, const cJSON *body)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(body, "name");
    const cJSON *url = cJSON_GetObjectItemCaseSensitive(body, "url");
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(body, "status");
    const cJSON *types = cJSON_GetObjectItemCaseSensitive(body, "event_types");

    if (status != NULL)
        endpoint->enabled = strcmp(status->valuestring, "active") == 0;
    return (name == NULL || detail_set(endpoint, "name", name)) &&
           (types == NULL || detail_set(endpoint, "events", types)) &&
           (url == NULL || detail_text(&endpoint->url, url->valuestring));
}

static void create_endpoint(struct visit *visit)
{
    struct ledger_endpoint *endpoint;
    char id[IDENTITY_SIZE], secret[IDENTITY_SIZE];
    cJSON *body = read_body(visit, create_form);

    if (body == NULL)
        return;
    identity_hex(id, "we_");
    identity_hex(secret, "whsec_");
    endpoint = detail_new("foil", id, secret, visit->emulator->faults);
    if (endpoint == NULL || !take_body(endpoint, body))
        foil_refuse_broken(visit->call, "out of memory");
    else if (!ledger_add_endpoint(visit->emulator->ledger, endpoint))
        refuse_ledger(visit);
    else
        foil_answer(visit->call, 201, foil_endpoint_json(endpoint, secret));
    ledger_endpoint_free(&endpoint);
    cJSON_Delete(body);
}

/* Stores the endpoint and answers with it. */
static void answer_changed(struct visit *visit, struct ledger_endpoint *endpoint, int status,
                           const char *secret)
{
    endpoint->updated_us = clock_wall_us();
    if (ledger_change_endpoint(visit->emulator->ledger, endpoint))
        foil_answer(visit->call, status, foil_endpoint_json(endpoint, secret));
    else
        refuse_ledger(visit);
}

static void update_endpoint(struct visit *visit)
{
    struct ledger_endpoint *endpoint = find_endpoint(visit);
    cJSON *body = endpoint != NULL ? read_body(visit, update_form) : NULL;

    if (body != NULL && take_body(endpoint, body))
        answer_changed(visit, endpoint, 200, NULL);
    else if (body != NULL)
        foil_refuse_broken(visit->call, "out of memory");
    ledger_endpoint_free(&endpoint);
    cJSON_Delete(body);
}

static void disable_endpoint(struct visit *visit)
{
    struct ledger_endpoint *endpoint = find_endpoint(visit);

    if (endpoint == NULL)
        return;
    endpoint->enabled = false;
    answer_changed(visit, endpoint, 200, NULL);
    ledger_endpoint_free(&endpoint);
}

static void rotate_secret(struct visit *visit)
{
    struct ledger_endpoint *endpoint = find_endpoint(visit);
    char secret[IDENTITY_SIZE];

    if (endpoint == NULL)
        return;
    identity_hex(secret, "whsec_");
    if (detail_text(&endpoint->previous_secret, endpoint->secret) &&
        detail_text(&endpoint->secret, secret))
        answer_changed(visit, endpoint, 201, secret);
    else
        foil_refuse_broken(visit->call, "out of memory");
    ledger_endpoint_free(&endpoint);
}

static cJSON *test_json(struct ledger *ledger, const struct trial *trial)
{
    cJSON *object = cJSON_CreateObject(), *ids;
    struct ledger_delivery *latest =
        ledger_delivery(ledger, "foil", trial->delivery_ids[trial->count - 1]);

    cJSON_AddStringToObject(object, "object", "webhook_test");
    cJSON_AddStringToObject(object, "event_id", trial->event_ids[trial->count - 1]);
    ids = cJSON_AddArrayToObject(object, "delivery_ids");
    for (size_t i = 0; i < trial->count; i++)
        cJSON_AddItemToArray(ids, cJSON_CreateString(trial->delivery_ids[i]));
    cJSON_AddItemToObject(object, "latest_delivery",
                          latest != NULL ? foil_delivery_json(latest) : cJSON_CreateNull());
    ledger_delivery_free(&latest);
    return object;
}

static void send_test(struct visit *visit)
{
    struct ledger_endpoint *endpoint = find_endpoint(visit);
    struct faults faults;
    struct trial trial;
    char why[FAULT_WHY_SIZE];

    if (endpoint == NULL)
        return;
    if (!trial_faults(visit->call, endpoint, &faults, why))
        foil_refuse(visit->call, 400, "request.invalid_header", why, NULL);
    else if (endpoint->enabled
                 ? trial_send(visit->emulator, endpoint, &manner, &faults, NULL, NULL, &trial, why)
                 : trial_skip(visit->emulator, endpoint, &manner, "skipped", &trial, why))
        foil_answer(visit->call, 202, test_json(visit->emulator->ledger, &trial));
    else
        foil_refuse_broken(visit->call, why);
    ledger_endpoint_free(&endpoint);
}

static const struct route routes[] = {
    {"GET", ENDPOINTS, RIGHT_READ, list_endpoints},
    {"POST", ENDPOINTS, RIGHT_MANAGE, create_endpoint},
    {"PATCH", ENDPOINTS "/{}", RIGHT_MANAGE, update_endpoint},
    {"DELETE", ENDPOINTS "/{}", RIGHT_MANAGE, disable_endpoint},
    {"POST", ENDPOINTS "/{}/rotations", RIGHT_MANAGE, rotate_secret},
    {"POST", ENDPOINTS "/{}/test", RIGHT_MANAGE, send_test},
    {"GET", EVENTS, RIGHT_READ, foil_list_events},
    {"GET", EVENTS "/{}", RIGHT_READ, foil_get_event},
    {NULL, NULL, 0, NULL}};

static cJSON *header_detail(void)
{
    cJSON *details = cJSON_CreateObject();

    cJSON_AddStringToObject(details, "header_name", "authorization");
    return details;
}

/* False: it has been refused. */
static bool admit(struct visit *visit, unsigned right)
{
    const char *bearer = route_bearer(visit->call);

    if (bearer == NULL) {
        foil_refuse(visit->call, 401, "auth.missing_api_key", "Missing API key.", header_detail());
        return false;
    }
    visit->key = keys_find(visit->emulator->keys, "foil", bearer);
    if (visit->key == NULL)
        foil_refuse(visit->call, 401, "auth.invalid_api_key", "Invalid API key.", header_detail());
    else if (!pattern_organization(visit->parts[0]))
        foil_refuse_path(visit->call);
    else if (visit->key->right == KEY_FOREIGN ||
             strcmp(visit->parts[0], visit->emulator->organization) != 0)
        foil_refuse(visit->call, 403, "auth.organization_access_denied",
                    "This API key has no access to the organization.", NULL);
    else if (visit->key->right == KEY_UNSCOPED && right == RIGHT_MANAGE)
        foil_refuse(visit->call, 403, "auth.insufficient_scope",
                    "This API key lacks the scope webhooks:manage.", NULL);
    else
        return true;
    return false;
}

bool foil_handle(struct emulator *emulator, struct api_call *call)
{
    static const struct routes api = {"/v1/organizations", routes, admit, foil_refuse_method,
                                      foil_refuse_path};

    return routes_serve(&api, emulator, call);
}
