/* SPDX-License-Identifier: MIT */
#include "cli/ping/provider.h"

#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "cli/record.h"
#include "daemon/base/ids.h"
#include "daemon/base/text.h"

enum {
    ID_MAX = 128
};

static const struct provider provider_table[] = {
    {PROVIDER_FOIL,
     "foil",
     "Foil",
     "https://api.usefoil.com",
     {"FOIL_SECRET_KEY", "FOIL_API_KEY"},
     "Authorization: Bearer ",
     "foil",
     false,
     true},
    {PROVIDER_FOIL,
     "tripwire",
     "Tripwire",
     "https://api.tripwirejs.com",
     {"TRIPWIRE_SECRET_KEY", "TRIPWIRE_API_KEY"},
     "Authorization: Bearer ",
     "tripwire",
     false,
     true},
    {PROVIDER_SHODAI,
     "shodai",
     "Shodai",
     "https://api.shodai.network",
     {"SHODAI_API_KEY"},
     "X-API-Key: ",
     "shodai",
     true,
     false},
    {PROVIDER_TRULAYER,
     "trulayer",
     "TruLayer",
     "https://api.trulayer.ai",
     {"TRULAYER_API_KEY"},
     "Authorization: Bearer ",
     "trulayer",
     true,
     false},
    {PROVIDER_EMULATED,
     "emulated",
     "the emulator",
     "http://127.0.0.1:4010",
     {NULL},
     NULL,
     NULL,
     true,
     false},
};

const struct provider *provider_find(const char *name)
{
    for (size_t i = 0; i < sizeof(provider_table) / sizeof(provider_table[0]); i++)
        if (strcmp(provider_table[i].name, name) == 0)
            return &provider_table[i];
    return NULL;
}

/* ---- ids */

/* Returns true for a path segment that needs no escaping and is not "." or "..". */
static bool provider_id_is_segment(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len <= ID_MAX && strcmp(text, ".") != 0 && strcmp(text, "..") != 0 &&
           strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.~") ==
               len;
}

static bool provider_fail(char why[PROVIDER_WHY_SIZE], const char *text)
{
    snprintf(why, PROVIDER_WHY_SIZE, "%s", text);
    return false;
}

bool provider_check_ids(const struct provider *p, const char *organization, const char *endpoint,
                        char why[PROVIDER_WHY_SIZE])
{
    if (p->kind == PROVIDER_FOIL) {
        if (organization == NULL)
            return provider_fail(
                why,
                "--organization is missing; expected an id such as org_f6m39y94nh6fs513q03skj929c");
        if (!id_is_organization(organization))
            return provider_fail(why,
                                 "--organization: expected org_ and 26 letters and digits, without "
                                 "i, l, o and u");
    } else if (organization != NULL) {
        return provider_fail(why, "--organization applies to foil and tripwire only");
    }
    if (endpoint == NULL && p->kind == PROVIDER_EMULATED)
        return provider_fail(why, "emulated: expected the NAME of a source behind the emulator");
    if (endpoint == NULL)
        return provider_fail(why,
                             "--endpoint is missing; expected the webhook's id at the provider");
    if (p->kind == PROVIDER_FOIL && !id_is_hex(endpoint, "we_"))
        return provider_fail(why, "--endpoint: expected we_ and 32 lower-case hex digits");
    if (p->kind == PROVIDER_TRULAYER && !id_is_uuid(endpoint))
        return provider_fail(why, "--endpoint: expected a UUID such as "
                                  "018f1234-5678-7abc-8def-0123456789ab");
    if (!provider_id_is_segment(endpoint))
        return provider_fail(why,
                             p->kind == PROVIDER_EMULATED
                                 ? "emulated: expected a source name of letters, digits, - _ and ."
                                 : "--endpoint: expected an id of letters, digits, - _ . and ~");
    return true;
}

const char *provider_key_problem(const char *key)
{
    if (key[0] == '\0')
        return "the key is empty";
    for (const char *c = key; *c != '\0'; c++)
        if (*c <= 0x20 || *c > 0x7e)
            return "the key contains a space, a newline or another invalid character";
    return NULL;
}

/* ---- URLs */

static bool provider_url_has_user(const char *base)
{
    const char *begin = strstr(base, "://");

    begin = begin == NULL ? base : begin + 3;
    return memchr(begin, '@', strcspn(begin, "/")) != NULL;
}

const char *provider_base_problem(const char *base)
{
    for (const char *c = base; *c != '\0'; c++)
        if (*c <= 0x20 || *c > 0x7e || *c == '?' || *c == '#')
            return "expected a URL such as http://127.0.0.1:4010, without spaces, ? and #";
    if (provider_url_has_user(base))
        return "must not contain a user or password; pass the key with --key";
    return NULL;
}

static int provider_url_trimmed_len(const char *base)
{
    size_t len = strlen(base);

    while (len > 0 && base[len - 1] == '/')
        len--;
    return (int)len;
}

static bool provider_url_fits(int len)
{
    return len > 0 && len < PROVIDER_URL_SIZE;
}

bool provider_test_url(const struct provider *p, const char *base, const char *organization,
                       const char *endpoint, char url[PROVIDER_URL_SIZE])
{
    int len = provider_url_trimmed_len(base);

    switch (p->kind) {
    case PROVIDER_FOIL:
        return provider_url_fits(snprintf(url, PROVIDER_URL_SIZE,
                                          "%.*s/v1/organizations/%s/webhooks/endpoints/%s/test",
                                          len, base, organization, endpoint));
    case PROVIDER_SHODAI:
        return provider_url_fits(
            snprintf(url, PROVIDER_URL_SIZE, "%.*s/v0/webhooks/%s/test", len, base, endpoint));
    case PROVIDER_TRULAYER:
        return provider_url_fits(
            snprintf(url, PROVIDER_URL_SIZE, "%.*s/v1/webhooks/%s/test", len, base, endpoint));
    case PROVIDER_EMULATED:
        return provider_url_fits(
            snprintf(url, PROVIDER_URL_SIZE, "%.*s/emulator/sources/%s/test", len, base, endpoint));
    }
    return false;
}

bool provider_event_url(const struct provider *p, const char *base, const char *organization,
                        const char *event_id, char url[PROVIDER_URL_SIZE])
{
    return p->remembers && provider_id_is_segment(event_id) &&
           provider_url_fits(snprintf(url, PROVIDER_URL_SIZE, "%.*s/v1/organizations/%s/events/%s",
                                      provider_url_trimmed_len(base), base, organization,
                                      event_id));
}

/* ---- answers */

enum {
    SAID_SIZE = 100, /* quoted from the start of an odd answer */
};

/* Anything else than a number that makes sense is -1. */
static int provider_read_count(const cJSON *object, const char *name, int max)
{
    int64_t count = json_get_count(object, name);

    return count <= max ? (int)count : -1;
}

static void provider_read_receipt(struct provider_view *view, const char *body)
{
    static const char name[] = "\"receipt\":\"";
    const char *at = strstr(body, name);

    if (at == NULL)
        return;
    at += sizeof(name) - 1;
    if (strspn(at, "0123456789abcdef") == PROVIDER_RECEIPT_SIZE - 1 &&
        at[PROVIDER_RECEIPT_SIZE - 1] == '"')
        snprintf(view->receipt, sizeof(view->receipt), "%.16s", at);
}

static void provider_read_body(struct provider_view *view, const cJSON *body, const char *hidden)
{
    const char *text = cJSON_GetStringValue(body);

    if (text != NULL)
        provider_read_receipt(view, text);
    json_copy_text(view->body, sizeof(view->body), body, hidden);
}

bool provider_status_is_2xx(int status)
{
    return status >= 200 && status < 300;
}

/* ---- odd answers */

static void provider_describe_odd_answer(const struct provider_bytes *b,
                                         char said[PROVIDER_TEXT_SIZE])
{
    char begin[SAID_SIZE];
    size_t blank = 0;

    while (blank < b->len && strchr(" \t\r\n", b->bytes[blank]) != NULL && b->bytes[blank] != '\0')
        blank++;
    text_copy_redacted(begin, sizeof(begin), b->bytes + blank, b->len - blank, b->key);
    if (b->cut)
        snprintf(said, PROVIDER_TEXT_SIZE, "more than 1 MiB instead of a few lines of JSON");
    else if (blank == b->len)
        snprintf(said, PROVIDER_TEXT_SIZE, "an empty body instead of JSON");
    else if (b->bytes[blank] == '<')
        snprintf(said, PROVIDER_TEXT_SIZE, "HTML instead of JSON: %s", begin);
    else
        snprintf(said, PROVIDER_TEXT_SIZE, "something other than its JSON: %s", begin);
}

static cJSON *provider_parse_answer(const struct provider_bytes *b)
{
    cJSON *json = b->cut || b->len == 0 ? NULL : cJSON_ParseWithLength(b->bytes, b->len);

    if (json != NULL && !cJSON_IsObject(json)) {
        cJSON_Delete(json);
        json = NULL;
    }
    return json;
}

/* {"error":"text"}, or {"error":{"code","message"}}. */
static void provider_read_refusal(const struct provider_bytes *b, const cJSON *json,
                                  char said[PROVIDER_TEXT_SIZE])
{
    const cJSON *error = json_get(json, "error");
    char code[60], message[160];

    json_copy_text(code, sizeof(code), json_get(error, "code"), b->key);
    json_copy_text(message, sizeof(message),
                   cJSON_IsString(error) ? error : json_get(error, "message"), b->key);
    if (code[0] != '\0' && message[0] != '\0')
        snprintf(said, PROVIDER_TEXT_SIZE, "%s: %s", code, message);
    else if (code[0] != '\0' || message[0] != '\0')
        snprintf(said, PROVIDER_TEXT_SIZE, "%s", code[0] != '\0' ? code : message);
    else
        provider_describe_odd_answer(b, said);
}

/* ---- answers of each provider */

static enum provider_state provider_read_state(const char *word)
{
    static const struct {
        const char *word;
        enum provider_state state;
    } states[] = {
        {"pending", PROVIDER_PENDING},     {"delivering", PROVIDER_PENDING},
        {"succeeded", PROVIDER_DELIVERED}, {"failed", PROVIDER_FAILED},
        {"skipped", PROVIDER_SKIPPED},     {"retry_pending", PROVIDER_RETRYING},
    };

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (strcmp(states[i].word, word) == 0)
            return states[i].state;
    return PROVIDER_UNKNOWN;
}

static void provider_read_foil_delivery(struct provider_view *view, const cJSON *delivery,
                                        const char *hidden)
{
    json_copy_text(view->word, sizeof(view->word), json_get(delivery, "status"), hidden);
    view->state = provider_read_state(view->word);
    view->attempts = provider_read_count(delivery, "attempts", 1000000);
    view->status = provider_read_count(delivery, "response_status", 999);
    json_copy_text(view->error, sizeof(view->error), json_get(delivery, "error"), hidden);
    provider_read_body(view, json_get(delivery, "response_body"), hidden);
    if (view->status < 0 && view->attempts > 0 &&
        (view->error[0] != '\0' || view->state == PROVIDER_FAILED))
        view->status = 0;
    /* Foil reports pending between two attempts, too. */
    if (view->state == PROVIDER_PENDING && view->attempts > 0 &&
        (view->status == 0 || (view->status > 0 && !provider_status_is_2xx(view->status))))
        view->state = PROVIDER_RETRYING;
}

static bool provider_read_foil(struct provider_answer *a, const cJSON *json, const char *hidden)
{
    const cJSON *data = json_get(json, "data"), *latest = json_get(data, "latest_delivery");

    json_copy_text(a->event_id, sizeof(a->event_id), json_get(data, "event_id"), hidden);
    json_copy_text(a->delivery_id, sizeof(a->delivery_id),
                   cJSON_GetArrayItem(json_get(data, "delivery_ids"), 0), hidden);
    a->view.state = PROVIDER_PENDING;
    if (cJSON_IsObject(latest))
        provider_read_foil_delivery(&a->view, latest, hidden);
    return strncmp(a->event_id, "wevt_", 5) == 0 && a->event_id[5] != '\0';
}

static bool provider_read_shodai(struct provider_answer *a, const cJSON *json, const char *hidden)
{
    const cJSON *data = json_get(json, "data"), *ok = json_get(data, "ok");
    struct provider_view *view = &a->view;

    json_copy_text(a->delivery_id, sizeof(a->delivery_id), json_get(data, "deliveryId"), hidden);
    json_copy_text(view->word, sizeof(view->word), json_get(data, "status"), hidden);
    json_copy_text(view->error, sizeof(view->error), json_get(data, "error"), hidden);
    view->state = provider_read_state(view->word);
    view->status = provider_read_count(data, "responseStatus", 999);
    if (view->status < 0 && cJSON_IsFalse(ok) &&
        (view->state == PROVIDER_FAILED || view->state == PROVIDER_RETRYING))
        view->status = 0;
    return cJSON_IsBool(ok) && a->delivery_id[0] != '\0' && view->word[0] != '\0';
}

static bool provider_read_status_body(struct provider_answer *a, const cJSON *json,
                                      const char *hidden)
{
    struct provider_view *view = &a->view;

    view->status = provider_read_count(json, "status", 999);
    view->attempts = 1;
    view->state = provider_status_is_2xx(view->status) ? PROVIDER_DELIVERED : PROVIDER_FAILED;
    provider_read_body(view, json_get(json, "body"), hidden);
    json_copy_text(a->event_id, sizeof(a->event_id), json_get(json, "id"), hidden);
    return view->status >= 0 && cJSON_IsString(json_get(json, "body"));
}

static bool provider_read_success(const struct provider *provider, struct provider_answer *a,
                                  const cJSON *json, const char *hidden)
{
    switch (provider->kind) {
    case PROVIDER_FOIL:
        return provider_read_foil(a, json, hidden);
    case PROVIDER_SHODAI:
        return provider_read_shodai(a, json, hidden);
    case PROVIDER_TRULAYER:
    case PROVIDER_EMULATED:
        return provider_read_status_body(a, json, hidden);
    }
    return false;
}

void provider_answer_read(const struct provider *provider, const struct provider_bytes *b,
                          struct provider_answer *a)
{
    cJSON *json = provider_parse_answer(b);

    *a = (struct provider_answer){
        .kind = PROVIDER_ODD, .status = b->status, .view = {.status = -1, .attempts = -1}};
    if (b->status >= 400 && b->status < 500) {
        a->kind = PROVIDER_REFUSED;
        provider_read_refusal(b, json, a->said);
    } else if (b->status >= 300) {
        provider_read_refusal(b, json, a->said);
    } else if (json != NULL && provider_read_success(provider, a, json, b->key)) {
        a->kind = PROVIDER_TRIGGERED;
    } else {
        provider_describe_odd_answer(b, a->said);
    }
    cJSON_Delete(json);
}

bool provider_answer_read_event(const struct provider_bytes *b, const char *endpoint,
                                struct provider_view *view)
{
    cJSON *json = provider_parse_answer(b);
    const cJSON *list = json_get(json_get(json, "data"), "webhook_deliveries"), *delivery,
                *ours = NULL;

    *view = (struct provider_view){.status = -1, .attempts = -1};
    cJSON_ArrayForEach(delivery, list)
    {
        if (ours == NULL && json_get_is(delivery, "endpoint_id", endpoint))
            ours = delivery;
    }
    if (provider_status_is_2xx(b->status) && ours != NULL)
        provider_read_foil_delivery(view, ours, b->key);
    else if (b->status >= 300)
        provider_read_refusal(b, json, view->error);
    else if (cJSON_IsArray(list))
        snprintf(view->error, sizeof(view->error), "the event has no delivery to this endpoint");
    else
        provider_describe_odd_answer(b, view->error);
    cJSON_Delete(json);
    return provider_status_is_2xx(b->status) && ours != NULL;
}
