/* SPDX-License-Identifier: MIT
 *
 * cursor.h - up to where a destination's deliveries have been taken up, as the store has it.
 *
 * An attempt's record carries the cursor along. What nobody wanted, or what ended in another order
 * than it began, is written on its own, and not often.
 *
 * Threads    The forwarder's; what the journal runs of it is said in cursor.c.
 */
#ifndef DAEMON_FORWARD_CURSOR_H
#define DAEMON_FORWARD_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/writer.h"
#include "daemon/base/mailbox.h"

struct attempt_tools;

struct watermark {
    struct writer_task task;
    struct mailbox_message message;
    const struct attempt_tools *tools;
    int64_t destination; /* its number */
    int64_t stored;
    int64_t writing;
    enum writer_outcome outcome;
    bool under_way;
    int64_t again_us; /* when it may be written the next time */
};

void watermark_init(struct watermark *mark, const struct attempt_tools *tools, int64_t destination,
                    int64_t stored);

/* An attempt's record has carried it. */
void watermark_carried(struct watermark *mark, int64_t stored);

/* Has the journal write it if it is time, or `now`. */
void watermark_write(struct watermark *mark, int64_t position, bool now);

/* For how long there is nothing to write; INT64_MAX if what is stored is the position. */
int64_t watermark_wait_us(const struct watermark *mark, int64_t position);

#endif
