/* SPDX-License-Identifier: MIT
 *
 * The events and deliveries of a ledger.
 */
#include "cli/emulator/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "cli/emulator/ledger_query.h"

enum {
    DELIVERY_COLUMNS = 12
};

/* ---- events */

#define EVENT_LIST "provider, id, type, body, created_us"

bool ledger_add_event(struct ledger *ledger, const struct ledger_event *event)
{
    const struct ledger_value values[] = {ledger_text(event->provider), ledger_text(event->id),
                                          ledger_text(event->type), ledger_text(event->body),
                                          ledger_number(event->created_us)};

    return ledger_execute(ledger, "INSERT INTO event(" EVENT_LIST ") VALUES (?1, ?2, ?3, ?4, ?5)",
                          values, LEDGER_COUNT(values));
}

static struct ledger_event *ledger_event_from_row(struct ledger *ledger, sqlite3_stmt *row)
{
    struct ledger_event *e = calloc(1, sizeof(*e));
    bool good = e != NULL;

    if (good)
        *e = (struct ledger_event){
            .provider = ledger_column_text(row, 0, &good),
            .id = ledger_column_text(row, 1, &good),
            .type = ledger_column_text(row, 2, &good),
            .body = ledger_column_text(row, 3, &good),
            .created_us = sqlite3_column_int64(row, 4),
        };
    if (!good) {
        ledger_fail(ledger, SQLITE_NOMEM);
        ledger_event_free(&e);
    }
    return e;
}

struct ledger_event *ledger_event(struct ledger *ledger, const char *provider, const char *id)
{
    const struct ledger_value values[] = {ledger_text(provider), ledger_text(id)};
    sqlite3_stmt *row =
        ledger_query_row(ledger, "SELECT " EVENT_LIST " FROM event WHERE provider = ?1 AND id = ?2",
                         values, LEDGER_COUNT(values));
    struct ledger_event *event = row == NULL ? NULL : ledger_event_from_row(ledger, row);

    sqlite3_finalize(row);
    return event;
}

bool ledger_each_event(struct ledger *ledger, const struct ledger_event_filter *wanted,
                       void (*each)(void *data, const struct ledger_event *event), void *data)
{
    const struct ledger_value values[] = {ledger_text(wanted->provider), ledger_text(wanted->type),
                                          ledger_text(wanted->endpoint_id),
                                          ledger_number((int64_t)wanted->limit)};
    sqlite3_stmt *row = ledger_prepare(ledger,
                                       "SELECT " EVENT_LIST " FROM event e WHERE provider = ?1"
                                       " AND (?2 = '' OR type = ?2) AND (?3 = '' OR EXISTS"
                                       " (SELECT 1 FROM delivery d WHERE d.provider = ?1"
                                       " AND d.event_id = e.id AND d.endpoint_id = ?3))"
                                       " ORDER BY seq DESC LIMIT ?4",
                                       values, LEDGER_COUNT(values));
    struct ledger_event *event;
    int code = SQLITE_NOMEM;

    while (row != NULL && (code = sqlite3_step(row)) == SQLITE_ROW &&
           (event = ledger_event_from_row(ledger, row)) != NULL) {
        each(data, event);
        ledger_event_free(&event);
    }
    sqlite3_finalize(row);
    return code == SQLITE_DONE || ledger_fail(ledger, code == SQLITE_ROW ? SQLITE_NOMEM : code);
}

void ledger_event_free(struct ledger_event **event)
{
    struct ledger_event *e = *event;

    if (e == NULL)
        return;
    free(e->provider);
    free(e->id);
    free(e->type);
    free(e->body);
    free(e);
    *event = NULL;
}

/* ---- deliveries */

#define DELIVERY_LIST                                                                              \
    "provider, id, event_id, endpoint_id, event_type, status, attempts, response_status,"          \
    " response_body, error, created_us, updated_us"

static size_t ledger_delivery_values(const struct ledger_delivery *d, struct ledger_value *values)
{
    const struct ledger_value all[] = {
        ledger_text(d->provider),      ledger_text(d->id),
        ledger_text(d->event_id),      ledger_text(d->endpoint_id),
        ledger_text(d->event_type),    ledger_text(d->status),
        ledger_number(d->attempts),    ledger_number(d->response_status),
        ledger_text(d->response_body), ledger_text(d->error),
        ledger_number(d->created_us),  ledger_number(d->updated_us),
    };

    memcpy(values, all, sizeof(all));
    return LEDGER_COUNT(all);
}

bool ledger_add_delivery(struct ledger *ledger, const struct ledger_delivery *delivery)
{
    struct ledger_value values[DELIVERY_COLUMNS];
    size_t count = ledger_delivery_values(delivery, values);

    return ledger_execute(ledger,
                          "INSERT INTO delivery(" DELIVERY_LIST ")"
                          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                          values, count);
}

bool ledger_change_delivery(struct ledger *ledger, const struct ledger_delivery *delivery)
{
    struct ledger_value values[DELIVERY_COLUMNS];
    size_t count = ledger_delivery_values(delivery, values);

    return ledger_execute(ledger,
                          "UPDATE delivery SET event_id = ?3, endpoint_id = ?4, event_type = ?5,"
                          " status = ?6, attempts = ?7, response_status = ?8, response_body = ?9,"
                          " error = ?10, created_us = ?11, updated_us = ?12"
                          " WHERE provider = ?1 AND id = ?2",
                          values, count);
}

bool ledger_fail_unfinished(struct ledger *ledger, const char *status, const char *new_status,
                            const char *error, int64_t now_us)
{
    const struct ledger_value values[] = {ledger_text(status), ledger_text(new_status),
                                          ledger_text(error), ledger_number(now_us)};

    return ledger_execute(ledger,
                          "UPDATE delivery SET status = ?2, error = ?3, updated_us = ?4"
                          " WHERE status = ?1",
                          values, LEDGER_COUNT(values));
}

static struct ledger_delivery *ledger_delivery_from_row(struct ledger *ledger, sqlite3_stmt *row)
{
    struct ledger_delivery *d = row == NULL ? NULL : calloc(1, sizeof(*d));
    bool good = d != NULL;

    if (good)
        *d = (struct ledger_delivery){
            .provider = ledger_column_text(row, 0, &good),
            .id = ledger_column_text(row, 1, &good),
            .event_id = ledger_column_text(row, 2, &good),
            .endpoint_id = ledger_column_text(row, 3, &good),
            .event_type = ledger_column_text(row, 4, &good),
            .status = ledger_column_text(row, 5, &good),
            .attempts = sqlite3_column_int(row, 6),
            .response_status = sqlite3_column_int(row, 7),
            .response_body = ledger_column_text(row, 8, &good),
            .error = ledger_column_text(row, 9, &good),
            .created_us = sqlite3_column_int64(row, 10),
            .updated_us = sqlite3_column_int64(row, 11),
        };
    if (row != NULL && !good) {
        ledger_fail(ledger, SQLITE_NOMEM);
        ledger_delivery_free(&d);
    }
    sqlite3_finalize(row);
    return d;
}

struct ledger_delivery *ledger_delivery(struct ledger *ledger, const char *provider, const char *id)
{
    const struct ledger_value values[] = {ledger_text(provider), ledger_text(id)};

    return ledger_delivery_from_row(ledger,
                                    ledger_query_row(ledger,
                                                     "SELECT " DELIVERY_LIST " FROM delivery"
                                                     " WHERE provider = ?1 AND id = ?2",
                                                     values, LEDGER_COUNT(values)));
}

struct ledger_delivery *ledger_delivery_at(struct ledger *ledger, const char *provider,
                                           const char *event_id, size_t from)
{
    const struct ledger_value values[] = {ledger_text(provider), ledger_text(event_id),
                                          ledger_number((int64_t)from)};

    return ledger_delivery_from_row(ledger,
                                    ledger_query_row(ledger,
                                                     "SELECT " DELIVERY_LIST " FROM delivery"
                                                     " WHERE provider = ?1 AND event_id = ?2"
                                                     " ORDER BY seq LIMIT 1 OFFSET ?3",
                                                     values, LEDGER_COUNT(values)));
}

void ledger_delivery_free(struct ledger_delivery **delivery)
{
    struct ledger_delivery *d = *delivery;

    if (d == NULL)
        return;
    free(d->provider);
    free(d->id);
    free(d->event_id);
    free(d->endpoint_id);
    free(d->event_type);
    free(d->status);
    free(d->response_body);
    free(d->error);
    free(d);
    *delivery = NULL;
}
