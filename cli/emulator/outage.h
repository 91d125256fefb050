/* SPDX-License-Identifier: MIT
 *
 * outage.h - a provider's API that is down or misbehaves, on request.
 *
 * Ownership  outage_open() makes it; outage_close() ends it after outage_stop().
 * Threads    Loop; open and close while there is no loop.
 */
#ifndef CLI_EMULATOR_OUTAGE_H
#define CLI_EMULATOR_OUTAGE_H

#include <stdbool.h>

struct api_call;
struct outage;

struct outage *outage_open(void); /* NULL on ENOMEM */
void outage_close(struct outage **outage);

/* Sets the outage of foil, tripwire, shodai or trulayer: "html", "huge" (10 MB), "500", "reset", "hang" or
 * "none". Returns false for an unknown provider or kind. */
bool outage_set(struct outage *outage, const char *provider, const char *kind);

/* Takes the call and returns true if its provider has an outage. `of_key` is "foil" or "tripwire",
 * whose paths are the same. */
bool outage_handle(struct outage *outage, struct api_call *call, const char *of_key);

/* Resets the calls that hang. */
void outage_stop(struct outage *outage);

#endif
