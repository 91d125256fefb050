/* SPDX-License-Identifier: MIT */
#include "daemon/forward/cursor.h"

#include <stddef.h>

#include "daemon/forward/attempt.h"
#include "daemon/base/clock.h"
#include "daemon/store/outbox.h"

enum {
    EVERY_US = 500000,
};

void cursor_init(struct cursor *cursor, const struct attempt_tools *tools, int64_t destination,
                 int64_t stored)
{
    *cursor = (struct cursor){.tools = tools, .destination = destination, .stored = stored};
}

void cursor_carried(struct cursor *cursor, int64_t stored)
{
    if (stored > cursor->stored)
        cursor->stored = stored;
}

static void on_recorded(struct message *message)
{
    struct cursor *cursor = (struct cursor *)((char *)message - offsetof(struct cursor, message));

    cursor->under_way = false;
    if (cursor->outcome == JOURNAL_DURABLE)
        cursor_carried(cursor, cursor->writing);
}

/* On the journal's thread, as the next one. */
static int run_task(struct journal_task *task)
{
    const struct cursor *cursor = (const struct cursor *)task;

    return outbox_set_cursor(cursor->tools->writer, cursor->destination, cursor->writing);
}

static void on_task_done(struct journal_task *task, enum journal_outcome outcome)
{
    struct cursor *cursor = (struct cursor *)task;

    cursor->outcome = outcome;
    mailbox_post(cursor->tools->mailbox, &cursor->message);
}

void cursor_write(struct cursor *cursor, int64_t position, bool now)
{
    int64_t now_us = clock_mono_us();

    if (cursor->under_way || position <= cursor->stored || (now_us < cursor->again_us && !now))
        return;
    cursor->again_us = now_us + EVERY_US;
    cursor->writing = position;
    cursor->task = (struct journal_task){
        .bytes = sizeof(*cursor),
        .run = run_task,
        .done = on_task_done,
    };
    cursor->message.take = on_recorded;
    cursor->under_way = journal_submit(cursor->tools->journal, &cursor->task);
}

int64_t cursor_wait_us(const struct cursor *cursor, int64_t position)
{
    if (cursor->under_way || position <= cursor->stored)
        return INT64_MAX;
    return cursor->again_us - clock_mono_us();
}
