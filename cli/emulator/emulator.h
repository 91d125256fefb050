/* SPDX-License-Identifier: MIT
 *
 * emulator.h - the providers that are emulated: what they share, and where a request goes.
 *
 * Threads    The loop's, but for what is set before there is one.
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
    const unsigned *retry_s; /* --retry: seconds until each further attempt; 0 ends them */
    const char *faults;      /* --fault: of endpoints that are made; "" for none */
    /* TruLayer takes only https URLs of public addresses; a playground has none. */
    bool strict_urls;
    bool is_local;     /* only this machine reaches it, so /emulator/... may be asked for */
    int64_t newest_ms; /* of dispatch_take_time() */
};

/* Each answers the call if the path is one of its provider's, and else returns false. */
bool foil_handle(struct emulator *emulator, struct api_call *call);
bool shodai_handle(struct emulator *emulator, struct api_call *call);
bool trulayer_handle(struct emulator *emulator, struct api_call *call);

/* Our own, for what the providers' APIs have no words for: /emulator/... (control.c). */
bool control_handle(struct emulator *emulator, struct api_call *call);

#endif
