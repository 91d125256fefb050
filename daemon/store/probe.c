/* SPDX-License-Identifier: MIT */
#include "daemon/store/probe.h"

#include <stddef.h>
#include <time.h>

#include "daemon/base/clock.h"
#include "daemon/store/store.h"

int probe_write(struct store *store)
{
    return sqlite3_exec(store_db(store), "INSERT OR REPLACE INTO meta VALUES ('probe', random())",
                        NULL, NULL, NULL);
}

static struct probe *probe_of(struct journal_task *task)
{
    return (struct probe *)((char *)task - offsetof(struct probe, task));
}

static int run(struct journal_task *task)
{
    return probe_write(probe_of(task)->store);
}

static void on_done(struct journal_task *task, enum journal_outcome outcome)
{
    struct probe *p = probe_of(task);

    atomic_store(&p->good, outcome == JOURNAL_DURABLE);
    sem_post(&p->answered);
}

void probe_init(struct probe *p, struct store *store)
{
    *p = (struct probe){.store = store};
    sem_init(&p->answered, 0, 0);
}

void probe_destroy(struct probe *p)
{
    sem_destroy(&p->answered);
}

bool probe_ask(struct probe *p, struct journal *journal, unsigned wait_ms)
{
    int64_t until_us = clock_mono_us() + (int64_t)wait_ms * 1000;
    struct timespec until = {until_us / 1000000, until_us % 1000000 * 1000};

    if (!p->asked) {
        p->task = (struct journal_task){.bytes = sizeof(*p), .run = run, .done = on_done};
        p->asked = journal_submit(journal, &p->task);
    }
    if (!p->asked || sem_clockwait(&p->answered, CLOCK_MONOTONIC, &until) != 0)
        return false;
    p->asked = false;
    return atomic_load(&p->good);
}
