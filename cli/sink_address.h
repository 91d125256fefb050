/* SPDX-License-Identifier: MIT
 *
 * sink_address.h - where a sink is, and what is shown there so that it answers: how its address is
 * understood, and why nobody may be there.
 *
 * Ownership  sink_address_open() fills it, sink_address_close() wipes the token.
 */
#ifndef CLI_SINK_ADDRESS_H
#define CLI_SINK_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/sink.h"

struct sink_address {
    const char *address; /* as the user wrote it ... */
    char shown[160];     /* ... and for messages */
    const char *unix_path;
    const char *ca_file;
    char *url; /* without a slash at its end */
    char *authorization;
    const char *headers[2]; /* for client_call_start() */
};

/* False, and in `why` what is wrong; then there is nothing to close. */
bool sink_address_open(struct sink_address *place, const struct sink_options *options,
                       char why[SINK_WHY_SIZE]);
void sink_address_close(struct sink_address *place);

/* Why it could not be spoken to: `error` is what the call says. */
void sink_address_explain(const struct sink_address *place, const char *error, char *text,
                          size_t size);

#endif
