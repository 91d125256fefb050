/* SPDX-License-Identifier: MIT
 *
 * place.h - where a sink is, and what is shown there so that it answers: how its address is
 * understood, and why nobody may be there.
 *
 * Ownership  place_open() fills it, place_close() wipes the token.
 */
#ifndef CLI_PLACE_H
#define CLI_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/sink.h"

struct place {
    const char *address; /* as the user wrote it ... */
    char shown[160];     /* ... and for messages */
    const char *unix_path;
    const char *ca_file;
    char *url; /* without a slash at its end */
    char *authorization;
    const char *headers[2]; /* for call_start() */
};

/* False, and in `why` what is wrong; then there is nothing to close. */
bool place_open(struct place *place, const struct sink_options *options, char why[SINK_WHY_SIZE]);
void place_close(struct place *place);

/* Why it could not be spoken to: `error` is what the call says. */
void place_explain(const struct place *place, const char *error, char *text, size_t size);

#endif
