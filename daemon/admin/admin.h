/* SPDX-License-Identifier: MIT
 *
 * admin.h - the admin API at its own address: health, metrics, stored deliveries, events, replay.
 *
 * The API reads the store by its own connection and writes by tasks of the writer, so no receiver
 * waits for an admin request.
 *
 * Ownership  admin_open() allocates, admin_close() frees.
 * Threads    The opening thread; requests are served on one thread of the API.
 */
#ifndef DAEMON_ADMIN_ADMIN_H
#define DAEMON_ADMIN_ADMIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/db.h"

struct admin;
struct feed;
struct forwarder;
struct listener_configs;
struct listener;
struct metrics;
struct listen_fds;
struct heartbeats;
struct policy_slot;
struct store;

struct admin_options {
    const char *address;             /* may be NULL if sockets were passed */
    const struct listen_fds *passed; /* replace `address` if it is a Unix socket, else add to it */
    const char *version;
    struct policy_slot *policy_slot; /* requests over TCP need the token of the policy, unless the
                                      * first policy has none */
    const struct metrics *metrics;
    const struct listener *listener; /* of the ingest sockets */
    const struct listener_configs *listener_configs;
    struct feed *feed;
    struct heartbeats *heartbeats; /* the API adds its own; may be NULL */
    struct store *store;           /* started */
    struct forwarder *forwarder;
    uint64_t free_bytes_min; /* /readyz fails with less free disk space */
};

/* Binds the sockets and starts serving. Returns NULL with the reason in `why`; errno is that of a
 * failed bind() or listen(), else 0. */
struct admin *admin_open(const struct admin_options *options, char why[DB_WHY_SIZE]);

/* Writes the n-th bound address; `text` has ADDRESS_TEXT_SIZE bytes. Returns false beyond the
 * last. */
bool admin_address(const struct admin *admin, size_t n, char *text);

/* Makes /readyz fail; requests are still served. */
void admin_set_stopping(struct admin *admin);

/* Ends event streams, waits 2 s for other requests, and removes the file of a Unix socket. */
void admin_close(struct admin **admin);

#endif
