/* SPDX-License-Identifier: MIT
 *
 * trouble.h - a provider whose API is down, or odd, on purpose.
 *
 * Ownership  trouble_open() makes it; trouble_close() ends it, when trouble_stop() was called or
 *            there were no calls.
 * Threads    The loop's, but for opening and closing.
 */
#ifndef CLI_EMULATOR_TROUBLE_H
#define CLI_EMULATOR_TROUBLE_H

#include <stdbool.h>

struct api_call;
struct trouble;

struct trouble *trouble_open(void); /* NULL without memory */
void trouble_close(struct trouble **trouble);

/* "html", "huge" (10 MB), "500", "reset", "hang" or "none", for "foil", "shodai" or "trulayer".
 * False if there is no such provider or kind. */
bool trouble_set(struct trouble *trouble, const char *provider, const char *kind);

/* Whether it has the call now, since its provider is in trouble. */
bool trouble_takes(struct trouble *trouble, struct api_call *call);

/* Ends the calls that hang. */
void trouble_stop(struct trouble *trouble);

#endif
