/* SPDX-License-Identifier: MIT
 *
 * emulator.h - the state that the emulated providers share.
 *
 * Threads    Loop, after setup.
 */
#ifndef CLI_EMULATOR_EMULATOR_H
#define CLI_EMULATOR_EMULATOR_H

#include <stdbool.h>
#include <stdint.h>

struct api_call;
struct dispatcher;
struct keys;
struct ledger;
struct outage;

struct emulator {
    struct ledger *ledger;
    struct keys *keys;
    struct dispatcher *dispatcher;
    struct outage *outage;
    char organization[64];
    const unsigned *retry_s; /* --retry: seconds to each retry; 0 ends them */
    const char *faults;      /* --fault: of new endpoints; "" for none */
    /* --strict-urls: TruLayer accepts only https URLs of public addresses; a local demo has
     * none. */
    bool strict_urls;
    bool is_local;     /* listens on loopback only, so it serves /emulator/... */
    int64_t newest_ms; /* last time given by dispatch_take_time() */
};

/* Each answers the call and returns true if the path belongs to its provider. */
bool foil_handle(struct emulator *emulator, struct api_call *call);
bool shodai_handle(struct emulator *emulator, struct api_call *call);
bool trulayer_handle(struct emulator *emulator, struct api_call *call);

/* Returns whose key the call to Foil's API has: "foil", or "tripwire" for its former name. */
const char *foil_provider(const struct emulator *emulator, const struct api_call *call);

/* The emulator's own API, /emulator/... (control.c). */
bool control_handle(struct emulator *emulator, struct api_call *call);

#endif
