/* SPDX-License-Identifier: MIT */
#include "daemon/store/probe.h"

#include <stddef.h>
#include <time.h>

#include "daemon/base/clock.h"
#include "daemon/store/db.h"

int store_probe_write(struct db *db)
{
    return sqlite3_exec(db_sqlite(db), "INSERT OR REPLACE INTO meta VALUES ('probe', random())",
                        NULL, NULL, NULL);
}

static struct store_probe *store_probe_of(struct writer_task *task)
{
    return (struct store_probe *)((char *)task - offsetof(struct store_probe, task));
}

static int store_probe_run(struct writer_task *task)
{
    return store_probe_write(store_probe_of(task)->db);
}

static void store_probe_on_done(struct writer_task *task, enum writer_outcome outcome)
{
    struct store_probe *p = store_probe_of(task);

    atomic_store(&p->good, outcome == WRITER_DURABLE);
    sem_post(&p->answered);
}

void store_probe_init(struct store_probe *p, struct db *db)
{
    *p = (struct store_probe){.db = db};
    sem_init(&p->answered, 0, 0);
}

void store_probe_destroy(struct store_probe *p)
{
    sem_destroy(&p->answered);
}

bool store_probe_ask(struct store_probe *p, struct writer *writer, unsigned wait_ms)
{
    int64_t until_us = clock_mono_us() + (int64_t)wait_ms * 1000;
    struct timespec until = {until_us / 1000000, until_us % 1000000 * 1000};

    if (!p->asked) {
        p->task = (struct writer_task){
            .bytes = sizeof(*p), .run = store_probe_run, .done = store_probe_on_done};
        p->asked = writer_submit(writer, &p->task);
    }
    if (!p->asked || sem_clockwait(&p->answered, CLOCK_MONOTONIC, &until) != 0)
        return false;
    p->asked = false;
    return atomic_load(&p->good);
}
