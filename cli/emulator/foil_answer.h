/* SPDX-License-Identifier: MIT
 *
 * foil_answer.h - Foil's objects and envelopes.
 *
 * Ownership  What is made is for cJSON_Delete(); what is answered with is deleted.
 * Threads    The loop's.
 */
#ifndef CLI_EMULATOR_FOIL_ANSWER_H
#define CLI_EMULATOR_FOIL_ANSWER_H

#include <stdbool.h>

#include <cjson/cJSON.h>

struct api_call;
struct form_problems;
struct ledger;
struct ledger_delivery;
struct ledger_endpoint;

enum {
    FOIL_LIMIT_MAX = 200
};

/* The types that an endpoint can subscribe to; webhook.test, which is delivered as well, is none.
 * NULL is the end of both. */
extern const char *const foil_event_types[];
extern const char *const foil_delivery_event_types[];

/* `secret`: it is shown; else NULL. */
cJSON *foil_endpoint_json(const struct ledger_endpoint *endpoint, const char *secret);
cJSON *foil_delivery_json(const struct ledger_delivery *delivery);

void foil_answer(struct api_call *call, int status, cJSON *data);
void foil_answer_list(struct api_call *call, cJSON *items, int limit, bool has_more);

/* `details` may be NULL. */
void foil_refuse(struct api_call *call, int status, const char *code, const char *message,
                 cJSON *details);
void foil_refuse_path(struct api_call *call);                        /* 404 */
void foil_refuse_method(struct api_call *call, const char *methods); /* 405 */
void foil_refuse_form(struct api_call *call, const struct form_problems *problems,
                      const char *parameter_set);                /* 422 */
void foil_refuse_broken(struct api_call *call, const char *why); /* 500 */
/* What the ledger was asked for last and has not given: 404, or 500 if it could not. */
void foil_refuse_missing(struct api_call *call, const struct ledger *ledger);

#endif
