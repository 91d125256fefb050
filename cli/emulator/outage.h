/* SPDX-License-Identifier: MIT
 *
 * outage.h - a provider whose API is down, or odd, on purpose.
 *
 * Ownership  outage_open() makes it; outage_close() ends it, when outage_stop() was called or
 *            there were no calls.
 * Threads    The loop's, but for opening and closing.
 */
#ifndef CLI_EMULATOR_OUTAGE_H
#define CLI_EMULATOR_OUTAGE_H

#include <stdbool.h>

struct api_call;
struct outage;

struct outage *outage_open(void); /* NULL without memory */
void outage_close(struct outage **outage);

/* "html", "huge" (10 MB), "500", "reset", "hang" or "none", for "foil", "shodai" or "trulayer".
 * False if there is no such provider or kind. */
bool outage_set(struct outage *outage, const char *provider, const char *kind);

/* Whether it has the call now, since its provider is in trouble. */
bool outage_handle(struct outage *outage, struct api_call *call);

/* Ends the calls that hang. */
void outage_stop(struct outage *outage);

#endif
