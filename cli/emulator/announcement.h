/* SPDX-License-Identifier: MIT
 *
 * announcement.h - what `hookline emulate` says: where everything is when it starts, and each
 * attempt of a delivery. For people, or as a line of JSON. Never a key or a secret.
 *
 * Threads    announcement_start() on one, announcement_attempt() on any other.
 */
#ifndef CLI_EMULATOR_ANNOUNCEMENT_H
#define CLI_EMULATOR_ANNOUNCEMENT_H

#include <stdbool.h>

struct dispatch_log_entry;
struct keys;
struct log;
struct playground;

struct announcement {
    bool json;
    const char *address;      /* ADDRESS:PORT */
    const char *organization; /* Foil's */
    const char *folder;       /* of the keys */
    const struct keys *keys;
    const struct playground *playground;
};

/* On standard output, which is flushed. False without memory. */
bool announcement_start(const struct announcement *announcement);

/* In that log, as JSON; with NULL on standard error, for people, unless nobody reads there. */
void announcement_attempt(struct log *log, const struct dispatch_log_entry *note);

#endif
