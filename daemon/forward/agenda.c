/* SPDX-License-Identifier: MIT */
#include "daemon/forward/agenda.h"

#include <stdlib.h>

#include "daemon/base/clock.h"
#include "daemon/policy/destination.h"
#include "daemon/store/entry.h"
#include "daemon/forward/places.h"

bool schedule_reserve(struct schedule *a, unsigned count)
{
    struct outbox_due *due = realloc(a->due, (count + 1) * sizeof(*due));

    if (due != NULL)
        a->due = due;
    return due != NULL;
}

void schedule_free(struct schedule *a)
{
    free(a->due);
}

void schedule_follow(struct schedule *a, const struct destination *d)
{
    const struct destination *before = a->destination;

    a->destination = d;
    a->news = true;
    a->due_us = 0;
    if (before == NULL)
        a->position = d->cursor;
    else if (!destination_same_answers(before, d))
        schedule_doubt_rows(a);
}

void schedule_doubt_rows(struct schedule *a)
{
    a->newest = INT64_MAX;
}

void schedule_expect(struct schedule *a, int64_t due_us)
{
    if (due_us < a->due_us)
        a->due_us = due_us;
}

static bool schedule_wants(const void *data, hookline_bytes source, hookline_bytes type)
{
    const struct schedule *a = data;

    /* Where a sender waits there is a row in `unsent` from the start. Whether it was so for those
     * that were there before us is looked up. */
    if (a->position >= a->newest && destination_answers(a->destination, source))
        return false;
    return destination_matches(a->destination, source, type);
}

int schedule_next_new(struct schedule *a, struct delivery_row **delivery)
{
    enum outbox_state state = OUTBOX_WAITING;
    int code;

    if (!a->news)
        return SQLITE_DONE;
    code = outbox_next(a->reader, &a->position, schedule_wants, a, delivery, &a->news);
    if (code != SQLITE_ROW) {
        a->news |= code != SQLITE_DONE;
        return code;
    }
    if ((*delivery)->seq <= a->newest)
        code = outbox_state(a->reader, a->destination->number, (*delivery)->seq, &state, NULL);
    else if (destination_answers(a->destination, (*delivery)->source))
        state = OUTBOX_RETRY;
    if (code != SQLITE_ROW && code != SQLITE_OK) {
        a->position = (*delivery)->seq - 1;
        a->news = true;
        free(*delivery);
        return code;
    }
    if (state == OUTBOX_WAITING)
        return SQLITE_ROW;
    free(*delivery);
    return SQLITE_DONE;
}

int schedule_next_due(struct schedule *a, const struct slots *slots, struct outbox_due *due)
{
    int64_t now_us = clock_steady_us();
    size_t found;
    int code;

    if (now_us < a->due_us)
        return SQLITE_DONE;
    code = outbox_due(a->reader, a->destination->number, now_us, a->due, slots->count + 1, &found);
    for (size_t i = 0; code == SQLITE_OK && i < found; i++) {
        if (slots_find(slots, a->due[i].seq) == NULL) {
            *due = a->due[i];
            return SQLITE_ROW;
        }
    }
    if (code == SQLITE_OK)
        code = outbox_next_due(a->reader, a->destination->number, now_us, &a->due_us);
    return code == SQLITE_OK ? SQLITE_DONE : code;
}

int schedule_oldest(struct schedule *a, struct outbox_due *due, bool *none)
{
    bool found;
    int code;

    *none = false;
    if (clock_steady_us() < a->due_us && a->due_us != INT64_MAX)
        return SQLITE_DONE;
    code = outbox_lowest_due(a->reader, a->destination->number, due, &found);
    if (code != SQLITE_OK)
        return code;
    a->due_us = found ? due->due_us : INT64_MAX;
    *none = !found;
    return found && due->due_us <= clock_steady_us() ? SQLITE_ROW : SQLITE_DONE;
}

int64_t schedule_wait_us(const struct schedule *a)
{
    if (a->news && (!a->destination->ordered || a->due_us == INT64_MAX))
        return 0;
    return a->due_us == INT64_MAX ? INT64_MAX : a->due_us - clock_steady_us();
}
