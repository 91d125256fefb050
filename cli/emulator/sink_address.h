/* SPDX-License-Identifier: MIT
 *
 * sink_address.h - where a hooklined listens, as its configuration says. Pure.
 */
#ifndef CLI_EMULATOR_SINK_ADDRESS_H
#define CLI_EMULATOR_SINK_ADDRESS_H

#include <stdbool.h>

struct config;

enum {
    PLAYGROUND_SINK_SIZE = 512
};

/* "http://127.0.0.1:8080" of the first address with a port, but for those that a proxy comes to;
 * "https://..." if all of them speak TLS. Every address of this machine is the loopback's. False if
 * there is none. */
bool playground_sink_url(const struct config *config, char url[PLAYGROUND_SINK_SIZE]);

/* "unix:admin.sock" or "127.0.0.1:9090" of the administrator's address, likewise. */
bool playground_sink_admin(const struct config *config, char text[PLAYGROUND_SINK_SIZE]);

#endif
