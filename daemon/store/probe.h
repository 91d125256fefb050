/* SPDX-License-Identifier: MIT
 *
 * probe.h - finds out whether the journal can write, by the smallest thing that has to be written.
 *
 * Ownership  The journal's from store_probe_ask() until its answer; store_probe_destroy() after the journal.
 * Threads    One.
 */
#ifndef DAEMON_STORE_PROBE_H
#define DAEMON_STORE_PROBE_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "daemon/store/writer.h"

struct db;

/* On the journal's thread, inside of a transaction: returns SQLite's code. */
int store_probe_write(struct db *db);

struct store_probe {
    struct writer_task task;
    struct db *db;
    sem_t answered;
    bool asked;
    atomic_bool good;
};

void store_probe_init(struct store_probe *probe, struct db *db);
void store_probe_destroy(struct store_probe *probe);

/* Asks the journal, unless that was done and it has not answered yet, and waits for the answer.
 * Whether it can write; false if nobody knows yet. */
bool store_probe_ask(struct store_probe *probe, struct writer *writer, unsigned wait_ms);

#endif
