/* SPDX-License-Identifier: MIT
 *
 * ingest.h - the public side: the receiver on its listening sockets.
 *
 * Ownership  ingest_open() makes it, ingest_free() ends it, also after a failure half-way.
 * Threads    Every function on the thread that opened it.
 */
#ifndef DAEMON_RECEIVE_INGEST_H
#define DAEMON_RECEIVE_INGEST_H

#include <stdbool.h>

struct config;
struct config_limits;
struct entrances;
struct ingest;
struct listener;
struct passed_sockets;
struct pulses;
struct receiver_options;

/* What `options` points to is used to the end; `pulses` may be NULL. NULL after a notice. */
struct ingest *ingest_open(const struct config *config, const struct receiver_options *options,
                           struct pulses *pulses);

/* Listens on what was passed, and on every address that was not, or on no other where nobody has
 * asked for one; and says so. 0, or the code to exit with after a notice. */
int ingest_start(struct ingest *ingest, const struct config *config,
                 const struct passed_sockets *passed);

/* Other limits; `limits` are complete. When it returns each loop looks at the rules that are
 * posted. */
void ingest_limit(struct ingest *ingest, const struct config_limits *limits);

/* Accepts no more and answers what has begun, for so long at most. */
void ingest_stop(struct ingest *ingest, unsigned seconds);

void ingest_free(struct ingest **ingest);

/* As entrances.h has it. */
bool ingest_renew(struct ingest *ingest, struct entrances **newer);

/* Their numbers are for others to read. */
const struct entrances *ingest_entrances(const struct ingest *ingest);
const struct listener *ingest_listener(const struct ingest *ingest);

#endif
