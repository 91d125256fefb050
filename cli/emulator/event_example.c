/* SPDX-License-Identifier: MIT */
#include "cli/emulator/event_example.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* ---- Foil, and Tripwire: OpenAPI document of API version 2026-03-25 */

#define FOIL_SESSION "\"session\":{\"id\":\"sid_87wfetm98myh9awj0dpt28a3kc\"}"
#define FOIL_VISITOR "\"id\":\"vid_7cyvmdfjs3rzznf8m65v3bv51m\""
#define FOIL_REQUEST                                                                               \
    "\"request\":{\"url\":\"https://app.acme.co/signup\",\"user_agent\":\"Mozilla/5.0 "            \
    "(Macintosh; Intel Mac OS X 14_4) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/123.0.0.0 "    \
    "Safari/537.36\",\"ip_address\":\"203.0.113.10\",\"screen_size\":\"1440x900\","                \
    "\"is_touch_capable\":true,\"platform\":\"macOS\",\"first_seen\":"                             \
    "\"2026-03-01T18:22:11.000Z\",\"risk_time\":\"2026-03-24T20:00:05.000Z\"}"

#define FOIL_FINGERPRINT                                                                           \
    "{\"object\":\"session_fingerprint\"," FOIL_SESSION ",\"visitor_fingerprint\":{" FOIL_VISITOR  \
    ",\"confidence\":93,\"identified_at\":\"2026-03-24T20:00:05.000Z\"}," FOIL_REQUEST             \
    ",\"calculated_at\":\"2026-03-24T20:00:05.000Z\"}"

#define FOIL_RESULT                                                                                \
    "{\"object\":\"session_result\"," FOIL_SESSION ",\"event\":{\"id\":"                           \
    "\"evt_srwqc0yqhz4bxvtrdtf69q7vkr\",\"scoring_event_id\":\"scoring_event_id\",\"phase\":"      \
    "\"phase\",\"is_provisional\":false,\"persisted_at\":\"2026-03-24T20:00:05.000Z\"},"           \
    "\"decision\":{\"verdict\":\"human\",\"risk_score\":94,\"score\":0.08,\"manipulation\":"       \
    "{\"score\":1,\"verdict\":\"none\"}},\"visitor_fingerprint\":{" FOIL_VISITOR "}," FOIL_REQUEST \
    ",\"score_breakdown\":{\"categories\":{\"source\":\"signup_form\"}},\"signals\":[{\"id\":"     \
    "\"sid_87wfetm98myh9awj0dpt28a3kc\",\"category\":\"environment\",\"confidence\":\"exact\","    \
    "\"score\":0.08,\"role\":\"owner\"}],\"attribution\":{\"bot\":{\"source\":\"signup_form\"}}}"

/* With the key pair of the documented test vector, because the application encrypts to it. */
#define FOIL_GATE(name)                                                                            \
    "{\"service_id\":\"" name "\",\"gate_session_id\":\"gate_0123456789abcdefghjkmnpqrs\","        \
    "\"gate_account_id\":\"gacct_0123456789abcdefghjkmnpqrs\",\"account_name\":\"Acme\","          \
    "\"metadata\":{\"plan\":\"pro\"},\"" name "\":{\"verdict\":\"human\",\"score\":0.12},"         \
    "\"delivery\":{\"version\":1,\"algorithm\":\"x25519-hkdf-sha256/aes-256-gcm\",\"key_id\":"     \
    "\"LyGqfpvB0SCaX4P0inVpMJTAjCNJVWq_3OE87it2ZYo\",\"public_key\":"                              \
    "\"bn6szfMIS-7pLl01PqvssrrGRoW1SVTkUuqeg0hfrW0\"}}"

static cJSON *event_example_foil_test(const char *endpoint_id)
{
    cJSON *data = cJSON_CreateObject();

    cJSON_AddStringToObject(data, "object", "webhook_test");
    cJSON_AddStringToObject(cJSON_AddObjectToObject(data, "endpoint"), "id", endpoint_id);
    return data;
}

/* ---- Shodai: its client's documentation and types, API version 2026-06-01 */

#define SHODAI_AGREEMENT                                                                           \
    "\"agreementId\":\"agr_123\",\"templateId\":\"did:template:service-retainer-v0-1\""
#define SHODAI_STATES                                                                              \
    "\"fromState\":\"AWAITING_PAYMENT\",\"toState\":\"WORK_IN_PROGRESS\","                         \
    "\"inputId\":\"submitInitialPaymentProof\""

#define SHODAI_TRANSITION "{" SHODAI_AGREEMENT "," SHODAI_STATES "}"

#define SHODAI_NOTIFICATION                                                                        \
    "{" SHODAI_AGREEMENT ",\"notificationTemplateId\":\"ntpl-1\",\"ruleId\":"                      \
    "\"deployment-follow-up\",\"triggerType\":\"onTransition\",\"recipient\":"                     \
    "\"client@example.com\",\"notification\":{\"subject\":\"Action required\",\"title\":"          \
    "\"Please review\",\"body\":\"Open the agreement.\",\"ctaLabel\":\"Review now\"},"             \
    "\"transition\":{" SHODAI_STATES ",\"occurredAt\":\"2026-06-02T18:00:00.000Z\"}}"

/* ---- table */

static const struct {
    const char *provider, *type, *data; /* NULL: no such member */
} event_examples[] = {
    {"foil", "session.fingerprint.calculated", FOIL_FINGERPRINT},
    {"foil", "session.result.persisted", FOIL_RESULT},
    {"foil", "gate.session.approved", FOIL_GATE("foil")},
    {"tripwire", "session.fingerprint.calculated", FOIL_FINGERPRINT},
    {"tripwire", "session.result.persisted", FOIL_RESULT},
    {"tripwire", "gate.session.approved", FOIL_GATE("tripwire")},
    {"shodai", "agreement.transitioned", SHODAI_TRANSITION},
    {"shodai", "agreement.notification.triggered", SHODAI_NOTIFICATION},
    {"trulayer", "ping", NULL},
};

cJSON *event_example_data(const char *provider, const char *type, const char *endpoint_id)
{
    bool is_foil = strcmp(provider, "foil") == 0 || strcmp(provider, "tripwire") == 0;

    if (is_foil && strcmp(type, "webhook.test") == 0)
        return event_example_foil_test(endpoint_id);
    for (size_t i = 0; i < sizeof(event_examples) / sizeof(event_examples[0]); i++)
        if (strcmp(event_examples[i].provider, provider) == 0 &&
            strcmp(event_examples[i].type, type) == 0)
            return event_examples[i].data == NULL ? NULL : cJSON_Parse(event_examples[i].data);
    return cJSON_CreateObject();
}
