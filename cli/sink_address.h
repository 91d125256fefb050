/* SPDX-License-Identifier: MIT
 *
 * sink_address.h - address and token of a sink: parses the options, explains failed connections.
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
    const char *address;         /* unix:PATH, http(s)://HOST:PORT or ADDRESS:PORT; NULL: default */
    struct option_secrets token; /* the last one counts; sent over TCP only */
    const char *ca_file;         /* CA certificates for https; NULL: the system's */
};

/* Default if neither --sink nor $HOOKLINE_SINK is set. */
#define SINK_DEFAULT_ADDRESS "unix:/run/hookline/admin.sock"

/* Rows for the struct sink_options `member` of the command's `type`. */
#define SINK_OPTIONS(type, member)                                                                 \
    TEXT(0, "sink", type, member.address, "ADDRESS",                                               \
         "connect to this admin address of hooklined: unix:PATH or\na URL; default: "              \
         "$HOOKLINE_SINK, else\n" SINK_DEFAULT_ADDRESS),                                           \
        SECRET(0, "sink-token", type, member.token, "WHERE",                                       \
               "read its admin token, for TCP, from @FILE, env:VARIABLE\nor credential:NAME"),     \
        CHECKED(0, "sink-ca", type, member.ca_file, "FILE", certificate_file_problem,              \
                "trust these CA certificates of an https sink; default:\nthe system's")

enum {
    SINK_WHY_SIZE = 512
};

struct sink_address {
    const char *address; /* as the user wrote it */
    char shown[160];     /* printable, for messages */
    const char *unix_path;
    const char *ca_file;
    char *url;              /* without a trailing slash */
    char *authorization;    /* header line; NULL: no token */
    const char *headers[2]; /* for struct client_request; NULL-terminated */
};

/* Returns false, with the reason in `why` and nothing to close, on error. */
bool sink_address_open(struct sink_address *address, const struct sink_options *options,
                       char why[SINK_WHY_SIZE]);
void sink_address_close(struct sink_address *address);

/* Writes the reason why the sink is unreachable. `error` is the call's error; a Unix socket is
 * examined anew, because libcurl reports no details. */
void sink_address_explain(const struct sink_address *address, const char *error, char *text,
                          size_t size);

#endif
