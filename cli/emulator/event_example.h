/* SPDX-License-Identifier: MIT
 *
 * event_example.h - the data of live events, as the examples of the providers' documents show it.
 * Pure.
 */
#ifndef CLI_EMULATOR_EVENT_EXAMPLE_H
#define CLI_EMULATOR_EVENT_EXAMPLE_H

#include <cjson/cJSON.h>

/* Returns the member "data" of an event, for cJSON_Delete(): an empty object if the documents show
 * none; NULL if the event has no such member, or on ENOMEM. `endpoint_id` is the receiving
 * endpoint, which Foil's webhook.test names. */
cJSON *event_example_data(const char *provider, const char *type, const char *endpoint_id);

#endif
