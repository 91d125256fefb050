/* SPDX-License-Identifier: MIT
 *
 * admin.h - what the administrator sees and does, at an address of its own: health, metrics, the
 * deliveries in the store, events, and deliveries sent once more.
 *
 * It reads the store by a connection of its own and changes it by tasks of the journal, so no
 * receiver waits for it.
 *
 * Ownership  admin_open() makes it, admin_close() ends it.
 * Threads    Every function on the one that opened it; a thread of its own serves.
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
    const char *address;
    const struct listen_fds *passed; /* if there are any, they are in the place of a Unix
                                          * socket's address, and beside another one */
    const char *version;
    struct policy_slot
        *policy_slot; /* over TCP who shows the token of its rules is answered; if there is
                                  none when it is opened, everybody */
    const struct metrics *metrics;
    const struct listener *listener; /* where deliveries arrive */
    const struct listener_configs *listener_configs;
    struct feed *feed;
    struct heartbeats *heartbeats; /* that of its thread is added; may be NULL */
    struct store *store;           /* started */
    struct forwarder *forwarder;
    uint64_t free_bytes_min; /* with less free on the disk it is not ready */
};

/* Binds the address and serves. NULL, and in `why` what is wrong; errno is that of listen() or 0.
 */
struct admin *admin_open(const struct admin_options *options, char why[DB_WHY_SIZE]);

/* The n-th address as it is bound, in ADDRESS_TEXT_SIZE bytes. False if there is none. */
bool admin_address(const struct admin *admin, size_t n, char *text);

/* Says that it is not ready any more, but goes on serving. */
void admin_set_stopping(struct admin *admin);

/* Ends streams of events, lets the rest end for a moment, and removes the socket's file. */
void admin_close(struct admin **admin);

#endif
