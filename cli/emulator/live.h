/* SPDX-License-Identifier: MIT
 *
 * live.h - events that are no tests: made on demand, and sent to those endpoints of their provider
 * that subscribe to them.
 *
 * Threads    The loop's.
 */
#ifndef CLI_EMULATOR_LIVE_H
#define CLI_EMULATOR_LIVE_H

#include <cjson/cJSON.h>

struct emulator;

/* `data` may be NULL. How many deliveries are on their way, and in `answer` their ids; -1, and in
 * `why` (FAULTS_WHY_SIZE bytes) what is wrong. */
int control_publish_event(struct emulator *emulator, const char *provider, const char *type,
                          const cJSON *data, cJSON *answer, char *why);

#endif
