/* SPDX-License-Identifier: MIT
 *
 * reload.h - the configuration, read again while the daemon runs: other rules take the place of
 * those in force, or, if anything is wrong with them, nothing changes.
 *
 * First the store knows the new destinations, then the forwarder, then the loops: a request that
 * comes under the new rules finds all of it ready. Certificates are read before and take effect
 * behind. No step after the store's can fail.
 *
 * Threads    The main one. Waits for the journal and the forwarder.
 */
#ifndef DAEMON_RELOAD_H
#define DAEMON_RELOAD_H

#include <stdbool.h>

struct config;
struct forwarder;
struct receive_server;
struct metrics;
struct policy_slot;
struct store;

struct reload {
    const struct config *config; /* with which the daemon was started */
    const char *file;            /* where it was read; NULL: the command line, whose secrets are */
    struct policy_slot *policy_slot;
    struct metrics *metrics;
    struct store *store; /* started */
    struct forwarder *forwarder;
    struct receive_server *ingest;
};

/* Says what came of it. False if everything stays as it was. */
bool reload_now(const struct reload *reload);

#endif
