/* SPDX-License-Identifier: MIT
 *
 * announcement.h - prints where the emulator's endpoints and keys are, and each delivery attempt,
 * as text or JSON. Prints no key and no secret.
 *
 * Threads    announcement_start() on one thread, announcement_attempt() on any other.
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
    const char *organization; /* of Foil and Tripwire */
    const char *folder;       /* holds the API keys */
    const struct keys *keys;
    const struct playground *playground;
};

/* Prints to stdout and flushes it. Returns false on ENOMEM. */
bool announcement_start(const struct announcement *announcement);

/* Writes the attempt to the log as JSON. With a NULL log, prints text to stderr, unless that
 * would block. */
void announcement_attempt(struct log *log, const struct dispatch_log_entry *note);

#endif
