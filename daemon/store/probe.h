/* SPDX-License-Identifier: MIT
 *
 * probe.h - finds out whether the journal can write, by the smallest thing that has to be written.
 *
 * Ownership  The journal's from probe_ask() until its answer; probe_destroy() after the journal.
 * Threads    One.
 */
#ifndef DAEMON_STORE_PROBE_H
#define DAEMON_STORE_PROBE_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "daemon/store/journal.h"

struct store;

/* On the journal's thread, inside of a transaction: returns SQLite's code. */
int probe_write(struct store *store);

struct probe {
    struct journal_task task;
    struct store *store;
    sem_t answered;
    bool asked;
    atomic_bool good;
};

void probe_init(struct probe *probe, struct store *store);
void probe_destroy(struct probe *probe);

/* Asks the journal, unless that was done and it has not answered yet, and waits for the answer.
 * Whether it can write; false if nobody knows yet. */
bool probe_ask(struct probe *probe, struct journal *journal, unsigned wait_ms);

#endif
