/* SPDX-License-Identifier: MIT */
#include "daemon/forward/agenda.h"

#include <stdlib.h>

#include "daemon/base/clock.h"
#include "daemon/policy/destination.h"
#include "daemon/store/entry.h"
#include "daemon/forward/places.h"

bool agenda_make_room(struct agenda *a, unsigned count)
{
    struct outbox_due *due = realloc(a->due, (count + 1) * sizeof(*due));

    if (due != NULL)
        a->due = due;
    return due != NULL;
}

void agenda_free(struct agenda *a)
{
    free(a->due);
}

void agenda_follow(struct agenda *a, const struct destination *d)
{
    const struct destination *before = a->destination;

    a->destination = d;
    a->news = true;
    a->due_us = 0;
    if (before == NULL)
        a->position = d->cursor;
    else if (!destination_answers_same(before, d))
        agenda_doubt_rows(a);
}

void agenda_doubt_rows(struct agenda *a)
{
    a->newest = INT64_MAX;
}

void agenda_expect(struct agenda *a, int64_t due_us)
{
    if (due_us < a->due_us)
        a->due_us = due_us;
}

static bool wants(const void *data, hookline_bytes source, hookline_bytes type)
{
    const struct agenda *a = data;

    /* Where a sender waits there is a row in `unsent` from the start. Whether it was so for those
     * that were there before us is looked up. */
    if (a->position >= a->newest && destination_answers(a->destination, source))
        return false;
    return destination_takes(a->destination, source, type);
}

int agenda_new(struct agenda *a, struct entry **entry)
{
    enum outbox_state state = OUTBOX_WAITING;
    int code;

    if (!a->news)
        return SQLITE_DONE;
    code = outbox_next(a->reader, &a->position, wants, a, entry, &a->news);
    if (code != SQLITE_ROW) {
        a->news |= code != SQLITE_DONE;
        return code;
    }
    if ((*entry)->seq <= a->newest)
        code = outbox_state(a->reader, a->destination->number, (*entry)->seq, &state, NULL);
    else if (destination_answers(a->destination, (*entry)->source))
        state = OUTBOX_RETRY;
    if (code != SQLITE_ROW && code != SQLITE_OK) {
        a->position = (*entry)->seq - 1;
        a->news = true;
        free(*entry);
        return code;
    }
    if (state == OUTBOX_WAITING)
        return SQLITE_ROW;
    free(*entry);
    return SQLITE_DONE;
}

int agenda_due(struct agenda *a, const struct places *places, struct outbox_due *due)
{
    int64_t now_us = clock_steady_us();
    size_t found;
    int code;

    if (now_us < a->due_us)
        return SQLITE_DONE;
    code = outbox_due(a->reader, a->destination->number, now_us, a->due, places->count + 1, &found);
    for (size_t i = 0; code == SQLITE_OK && i < found; i++) {
        if (places_find(places, a->due[i].seq) == NULL) {
            *due = a->due[i];
            return SQLITE_ROW;
        }
    }
    if (code == SQLITE_OK)
        code = outbox_next_due(a->reader, a->destination->number, now_us, &a->due_us);
    return code == SQLITE_OK ? SQLITE_DONE : code;
}

int agenda_oldest(struct agenda *a, struct outbox_due *due, bool *none)
{
    bool found;
    int code;

    *none = false;
    if (clock_steady_us() < a->due_us && a->due_us != INT64_MAX)
        return SQLITE_DONE;
    code = outbox_first(a->reader, a->destination->number, due, &found);
    if (code != SQLITE_OK)
        return code;
    a->due_us = found ? due->due_us : INT64_MAX;
    *none = !found;
    return found && due->due_us <= clock_steady_us() ? SQLITE_ROW : SQLITE_DONE;
}

int64_t agenda_wait_us(const struct agenda *a)
{
    if (a->news && (!a->destination->ordered || a->due_us == INT64_MAX))
        return 0;
    return a->due_us == INT64_MAX ? INT64_MAX : a->due_us - clock_steady_us();
}
