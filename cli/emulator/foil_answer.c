/* SPDX-License-Identifier: MIT */
#include "cli/emulator/foil_answer.h"

#include <string.h>

#include "daemon/base/iso_time.h"
#include "cli/emulator/api.h"
#include "cli/emulator/detail.h"
#include "cli/emulator/form.h"
#include "daemon/base/ids.h"
#include "cli/emulator/ledger.h"

enum {
    RECEIVED_MAX = 64
};

const char *const foil_delivery_event_types[] = {"session.fingerprint.calculated",
                                                 "session.result.persisted",
                                                 "gate.session.approved", "webhook.test", NULL};
const char *const foil_event_types[] = {"session.fingerprint.calculated",
                                        "session.result.persisted", "gate.session.approved", NULL};

static void foil_json_time(cJSON *object, const char *key, int64_t us)
{
    char text[RFC3339_SIZE];

    rfc3339_write(text, us);
    cJSON_AddStringToObject(object, key, text);
}

static void foil_json_text(cJSON *object, const char *key, const char *text)
{
    if (text != NULL)
        cJSON_AddStringToObject(object, key, text);
    else
        cJSON_AddNullToObject(object, key);
}

cJSON *foil_endpoint_json(const struct ledger_endpoint *endpoint, const char *secret)
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
    foil_json_time(object, "created_at", endpoint->created_us);
    foil_json_time(object, "updated_at", endpoint->updated_us);
    cJSON_Delete(name);
    return object;
}

cJSON *foil_delivery_json(const struct ledger_delivery *delivery)
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
    foil_json_text(object, "response_body", delivery->response_body);
    foil_json_text(object, "error", delivery->error);
    foil_json_time(object, "created_at", delivery->created_us);
    foil_json_time(object, "updated_at", delivery->updated_us);
    return object;
}

static void foil_json_meta(cJSON *answer)
{
    char id[IDS_SIZE];

    ids_make_hex(id, "req_");
    cJSON_AddStringToObject(cJSON_AddObjectToObject(answer, "meta"), "request_id", id);
}

void foil_answer(struct api_call *call, int status, cJSON *data)
{
    cJSON *answer = cJSON_CreateObject();

    cJSON_AddItemToObject(answer, "data", data);
    foil_json_meta(answer);
    api_answer(call, status, answer);
}

void foil_answer_list(struct api_call *call, cJSON *items, int limit, bool has_more)
{
    cJSON *answer = cJSON_CreateObject(), *pagination;

    cJSON_AddItemToObject(answer, "data", items);
    pagination = cJSON_AddObjectToObject(answer, "pagination");
    cJSON_AddNumberToObject(pagination, "limit", limit);
    cJSON_AddBoolToObject(pagination, "has_more", has_more);
    foil_json_meta(answer);
    api_answer(call, 200, answer);
}

static cJSON *foil_error_json(int status, const char *code, const char *message, cJSON *details)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON *error = cJSON_AddObjectToObject(answer, "error");
    char id[IDS_SIZE];

    ids_make_hex(id, "req_");
    cJSON_AddStringToObject(error, "code", code);
    cJSON_AddStringToObject(error, "message", message);
    cJSON_AddNumberToObject(error, "status", status);
    cJSON_AddBoolToObject(error, "retryable", status == 429 || status >= 500);
    cJSON_AddStringToObject(error, "request_id", id);
    if (details != NULL)
        cJSON_AddItemToObject(error, "details", details);
    return answer;
}

void foil_refuse(struct api_call *call, int status, const char *code, const char *message,
                 cJSON *details)
{
    api_answer(call, status, foil_error_json(status, code, message, details));
}

void foil_refuse_method(struct api_call *call, const char *methods)
{
    api_answer_with(call, 405,
                    foil_error_json(405, "request.method_not_allowed", "Method not allowed.", NULL),
                    "allow", methods);
}

void foil_refuse_path(struct api_call *call)
{
    foil_refuse(call, 404, "request.not_found", "Resource not found.", NULL);
}

void foil_refuse_broken(struct api_call *call, const char *why)
{
    foil_refuse(call, 500, "request.internal_error", why, NULL);
}

void foil_refuse_missing(struct api_call *call, const struct ledger *ledger)
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

/* The values that the schema has room for, if they are short. What is not known is not echoed: it
 * may be a secret. */
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

void foil_refuse_form(struct api_call *call, const struct form_problems *problems,
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
