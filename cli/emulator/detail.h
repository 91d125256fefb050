/* SPDX-License-Identifier: MIT
 *
 * detail.h - endpoints as the providers' APIs make and change them, and what each has of its
 * provider's own, which ledger_endpoint.detail keeps as JSON. Reads the clock, and else is pure.
 */
#ifndef CLI_EMULATOR_DETAIL_H
#define CLI_EMULATOR_DETAIL_H

#include <stdbool.h>

#include <cjson/cJSON.h>

struct ledger_endpoint;

/* One that is made now, enabled, with nothing but these; for ledger_endpoint_free(). NULL without
 * memory. The provider's name is that of its scheme, too. */
struct ledger_endpoint *ledger_endpoint_new(const char *provider, const char *id,
                                            const char *secret, const char *faults);

/* A copy of a member, for cJSON_Delete(); NULL if there is none. */
cJSON *ledger_endpoint_detail_get(const struct ledger_endpoint *endpoint, const char *member);

/* Puts a copy of the value in place of the member; NULL takes it away. False without memory, and
 * the endpoint is as it was. */
bool ledger_endpoint_detail_set(struct ledger_endpoint *endpoint, const char *member,
                                const cJSON *value);

/* The array of the types of events, for cJSON_Delete(): "events" or, where there are none, `usual`,
 * which ends with NULL. */
cJSON *ledger_endpoint_event_types(const struct ledger_endpoint *endpoint,
                                   const char *const *usual);

/* An array of texts, which end with NULL. */
cJSON *ledger_text_array(const char *const *texts);

/* Puts a copy of the text into a member of struct ledger_endpoint. False without memory. */
bool ledger_set_text(char **member, const char *text);

#endif
