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

#include "cli/command.h"
#include "daemon/http/tls.h"

struct sink_options {
    const char *address;         /* unix:PATH, http://HOST:PORT or https://..., ADDRESS:PORT */
    struct option_secrets token; /* at most one counts; over TCP, if the sink asks for it */
    const char *ca_file;         /* whom to believe over https; NULL: whom the system believes */
};

/* Without --sink: $HOOKLINE_SINK, else SINK_DEFAULT_ADDRESS. */
#define SINK_DEFAULT_ADDRESS "unix:/run/hookline/admin.sock"
#define SINK_OPTIONS(type, member)                                                                 \
    TEXT(0, "sink", type, member.address, "ADDRESS",                                               \
         "where hooklined answers its administrator: unix:PATH or\na URL; default: "               \
         "$HOOKLINE_SINK, else\n" SINK_DEFAULT_ADDRESS),                                           \
        SECRET(0, "sink-token", type, member.token, "WHERE",                                       \
               "the token that it asks for over TCP: @FILE, env:VARIABLE\nor credential:NAME"),    \
        CHECKED(0, "sink-ca", type, member.ca_file, "FILE", certificate_file_problem,              \
                "certificates that vouch for it over https; default: the\nsystem's")

enum {
    SINK_WHY_SIZE = 512
};

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
