/* SPDX-License-Identifier: MIT */
#include "daemon/forward/cursor.h"

#include <stddef.h>

#include "daemon/forward/attempt.h"
#include "daemon/base/clock.h"
#include "daemon/store/outbox.h"

enum {
    WATERMARK_EVERY_US = 500000,
};

void watermark_init(struct watermark *mark, const struct attempt_tools *tools, int64_t destination,
                    int64_t stored)
{
    *mark = (struct watermark){.tools = tools, .destination = destination, .stored = stored};
}

void watermark_carried(struct watermark *mark, int64_t stored)
{
    if (stored > mark->stored)
        mark->stored = stored;
}

static void watermark_on_recorded(struct mailbox_message *message)
{
    struct watermark *mark =
        (struct watermark *)((char *)message - offsetof(struct watermark, message));

    mark->under_way = false;
    if (mark->outcome == WRITER_DURABLE)
        watermark_carried(mark, mark->writing);
}

/* On the journal's thread, as the next one. */
static int watermark_run_task(struct writer_task *task)
{
    const struct watermark *mark = (const struct watermark *)task;

    return outbox_set_cursor(mark->tools->outbox, mark->destination, mark->writing);
}

static void watermark_on_task_done(struct writer_task *task, enum writer_outcome outcome)
{
    struct watermark *mark = (struct watermark *)task;

    mark->outcome = outcome;
    mailbox_post(mark->tools->mailbox, &mark->message);
}

void watermark_write(struct watermark *mark, int64_t position, bool now)
{
    int64_t now_us = clock_mono_us();

    if (mark->under_way || position <= mark->stored || (now_us < mark->again_us && !now))
        return;
    mark->again_us = now_us + WATERMARK_EVERY_US;
    mark->writing = position;
    mark->task = (struct writer_task){
        .bytes = sizeof(*mark),
        .run = watermark_run_task,
        .done = watermark_on_task_done,
    };
    mark->message.take = watermark_on_recorded;
    mark->under_way = writer_submit(mark->tools->writer, &mark->task);
}

int64_t watermark_wait_us(const struct watermark *mark, int64_t position)
{
    if (mark->under_way || position <= mark->stored)
        return INT64_MAX;
    return mark->again_us - clock_mono_us();
}
