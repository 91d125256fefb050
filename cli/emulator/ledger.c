/* SPDX-License-Identifier: MIT */
#include "ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger_file.h"

enum {
    COLUMNS_MAX = 16
};

struct ledger {
    struct ledger_file *file;
    sqlite3 *db;
    char why[LEDGER_WHY_SIZE];
};

struct ledger *ledger_open(const char *path, char why[LEDGER_WHY_SIZE])
{
    struct ledger *ledger = calloc(1, sizeof(*ledger));

    if (ledger == NULL) {
        snprintf(why, LEDGER_WHY_SIZE, "out of memory");
        return NULL;
    }
    ledger->file = ledger_file_open(path, why);
    if (ledger->file == NULL)
        ledger_close(&ledger);
    else
        ledger->db = ledger_file_db(ledger->file);
    return ledger;
}

void ledger_close(struct ledger **ledger)
{
    if (*ledger != NULL)
        ledger_file_close(&(*ledger)->file);
    free(*ledger);
    *ledger = NULL;
}

const char *ledger_why(const struct ledger *ledger)
{
    return ledger->why;
}

/* ---- statements */

/* A value of a row, or of a question. */
struct value {
    bool is_number;
    const char *text;
    int64_t number;
};

static struct value text(const char *text)
{
    return (struct value){.text = text};
}

static struct value number(int64_t number)
{
    return (struct value){.is_number = true, .number = number};
}

static bool complain(struct ledger *ledger, int code)
{
    snprintf(ledger->why, sizeof(ledger->why), "the emulator's store: %s", sqlite3_errstr(code));
    return false;
}

/* NULL on failure. */
static sqlite3_stmt *ask(struct ledger *ledger, const char *sql, const struct value *values,
                         size_t count)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(ledger->db, sql, -1, &statement, NULL);

    ledger->why[0] = '\0';
    for (size_t i = 0; code == SQLITE_OK && i < count; i++)
        code = values[i].is_number
                   ? sqlite3_bind_int64(statement, (int)i + 1, values[i].number)
                   : sqlite3_bind_text(statement, (int)i + 1, values[i].text, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        return statement;
    complain(ledger, code);
    sqlite3_finalize(statement);
    return NULL;
}

/* Whether the statement has changed a row. */
static bool change(struct ledger *ledger, const char *sql, const struct value *values, size_t count)
{
    sqlite3_stmt *statement = ask(ledger, sql, values, count);
    int code;

    if (statement == NULL)
        return false;
    code = sqlite3_step(statement);
    sqlite3_finalize(statement);
    if (code != SQLITE_DONE)
        return complain(ledger, code);
    return sqlite3_changes(ledger->db) > 0;
}

/* Its first row; NULL, with nothing to finalize, if there is none. */
static sqlite3_stmt *find(struct ledger *ledger, const char *sql, const struct value *values,
                          size_t count)
{
    sqlite3_stmt *statement = ask(ledger, sql, values, count);
    int code;

    if (statement == NULL)
        return NULL;
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        return statement;
    sqlite3_finalize(statement);
    if (code != SQLITE_DONE)
        complain(ledger, code);
    return NULL;
}

static char *take(sqlite3_stmt *row, int column, bool *good)
{
    const char *found = (const char *)sqlite3_column_text(row, column);
    char *copy = found == NULL ? NULL : strdup(found);

    if (copy == NULL && sqlite3_column_type(row, column) != SQLITE_NULL)
        *good = false;
    return copy;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- settings */

bool ledger_setting(struct ledger *ledger, const char *name, const char *value, char *out,
                    size_t size)
{
    const struct value values[] = {text(name), text(value)};
    sqlite3_stmt *row;

    change(ledger, "INSERT OR IGNORE INTO setting(name, value) VALUES (?1, ?2)", values, 2);
    if ((row = find(ledger, "SELECT value FROM setting WHERE name = ?1", values, 1)) == NULL)
        return false;
    snprintf(out, size, "%s", (const char *)sqlite3_column_text(row, 0));
    sqlite3_finalize(row);
    return true;
}

/* ---- endpoints */

#define ENDPOINT                                                                                   \
    "provider, id, source, scheme, description, url, signed_url, secret, previous_secret, faults," \
    " detail, enabled, created_us, updated_us"

static size_t list_endpoint(const struct ledger_endpoint *e, struct value *values)
{
    const struct value all[] = {
        text(e->provider),
        text(e->id),
        text(e->source),
        text(e->scheme),
        text(e->description),
        text(e->url),
        text(e->signed_url),
        text(e->secret),
        text(e->previous_secret == NULL ? "" : e->previous_secret),
        text(e->faults == NULL ? "" : e->faults),
        text(e->detail == NULL ? "{}" : e->detail),
        number(e->enabled),
        number(e->created_us),
        number(e->updated_us),
    };

    memcpy(values, all, sizeof(all));
    return COUNT(all);
}

bool ledger_add_endpoint(struct ledger *ledger, const struct ledger_endpoint *endpoint)
{
    struct value values[COLUMNS_MAX];
    size_t count = list_endpoint(endpoint, values);

    return change(ledger,
                  "INSERT INTO endpoint(" ENDPOINT ")"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
                  values, count);
}

bool ledger_change_endpoint(struct ledger *ledger, const struct ledger_endpoint *endpoint)
{
    struct value values[COLUMNS_MAX];
    size_t count = list_endpoint(endpoint, values);

    return change(ledger,
                  "UPDATE endpoint SET source = ?3, scheme = ?4, description = ?5, url = ?6,"
                  " signed_url = ?7, secret = ?8, previous_secret = ?9, faults = ?10,"
                  " detail = ?11, enabled = ?12, created_us = ?13, updated_us = ?14"
                  " WHERE provider = ?1 AND id = ?2",
                  values, count);
}

bool ledger_remove_endpoint(struct ledger *ledger, const char *provider, const char *id)
{
    const struct value values[] = {text(provider), text(id)};

    return change(ledger, "DELETE FROM endpoint WHERE provider = ?1 AND id = ?2", values,
                  COUNT(values));
}

static struct ledger_endpoint *take_endpoint(struct ledger *ledger, sqlite3_stmt *row)
{
    struct ledger_endpoint *e = row == NULL ? NULL : calloc(1, sizeof(*e));
    bool good = e != NULL;

    if (good)
        *e = (struct ledger_endpoint){
            .provider = take(row, 0, &good),
            .id = take(row, 1, &good),
            .source = take(row, 2, &good),
            .scheme = take(row, 3, &good),
            .description = take(row, 4, &good),
            .url = take(row, 5, &good),
            .signed_url = take(row, 6, &good),
            .secret = take(row, 7, &good),
            .previous_secret = take(row, 8, &good),
            .faults = take(row, 9, &good),
            .detail = take(row, 10, &good),
            .enabled = sqlite3_column_int(row, 11) != 0,
            .created_us = sqlite3_column_int64(row, 12),
            .updated_us = sqlite3_column_int64(row, 13),
        };
    if (row != NULL && !good) {
        complain(ledger, SQLITE_NOMEM);
        ledger_endpoint_free(&e);
    }
    sqlite3_finalize(row);
    return e;
}

struct ledger_endpoint *ledger_endpoint(struct ledger *ledger, const char *provider, const char *id)
{
    const struct value values[] = {text(provider), text(id)};

    return take_endpoint(ledger, find(ledger,
                                      "SELECT " ENDPOINT " FROM endpoint"
                                      " WHERE provider = ?1 AND id = ?2",
                                      values, COUNT(values)));
}

struct ledger_endpoint *ledger_endpoint_of_source(struct ledger *ledger, const char *source)
{
    const struct value values[] = {text(source)};

    return take_endpoint(
        ledger, find(ledger, "SELECT " ENDPOINT " FROM endpoint WHERE source = ?1", values, 1));
}

struct ledger_endpoint *ledger_endpoint_at(struct ledger *ledger, const char *provider, size_t from)
{
    const struct value values[] = {text(provider), number((int64_t)from)};

    return take_endpoint(ledger, find(ledger,
                                      "SELECT " ENDPOINT " FROM endpoint"
                                      " WHERE ?1 IS NULL OR provider = ?1"
                                      " ORDER BY seq LIMIT 1 OFFSET ?2",
                                      values, COUNT(values)));
}

static void wipe(char *secret)
{
    if (secret != NULL)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

void ledger_endpoint_free(struct ledger_endpoint **endpoint)
{
    struct ledger_endpoint *e = *endpoint;

    if (e == NULL)
        return;
    free(e->provider);
    free(e->id);
    free(e->source);
    free(e->scheme);
    free(e->description);
    free(e->url);
    free(e->signed_url);
    wipe(e->secret);
    wipe(e->previous_secret);
    free(e->faults);
    free(e->detail);
    free(e);
    *endpoint = NULL;
}

/* ---- events */

#define EVENT "provider, id, type, body, created_us"

bool ledger_add_event(struct ledger *ledger, const struct ledger_event *event)
{
    const struct value values[] = {text(event->provider), text(event->id), text(event->type),
                                   text(event->body), number(event->created_us)};

    return change(ledger, "INSERT INTO event(" EVENT ") VALUES (?1, ?2, ?3, ?4, ?5)", values,
                  COUNT(values));
}

static struct ledger_event *read_event(struct ledger *ledger, sqlite3_stmt *row)
{
    struct ledger_event *e = calloc(1, sizeof(*e));
    bool good = e != NULL;

    if (good)
        *e = (struct ledger_event){
            .provider = take(row, 0, &good),
            .id = take(row, 1, &good),
            .type = take(row, 2, &good),
            .body = take(row, 3, &good),
            .created_us = sqlite3_column_int64(row, 4),
        };
    if (!good) {
        complain(ledger, SQLITE_NOMEM);
        ledger_event_free(&e);
    }
    return e;
}

struct ledger_event *ledger_event(struct ledger *ledger, const char *provider, const char *id)
{
    const struct value values[] = {text(provider), text(id)};
    sqlite3_stmt *row = find(ledger, "SELECT " EVENT " FROM event WHERE provider = ?1 AND id = ?2",
                             values, COUNT(values));
    struct ledger_event *event = row == NULL ? NULL : read_event(ledger, row);

    sqlite3_finalize(row);
    return event;
}

bool ledger_each_event(struct ledger *ledger, const struct ledger_wanted *wanted,
                       void (*each)(void *data, const struct ledger_event *event), void *data)
{
    const struct value values[] = {text(wanted->provider), text(wanted->type),
                                   text(wanted->endpoint_id), number((int64_t)wanted->limit)};
    sqlite3_stmt *row = ask(ledger,
                            "SELECT " EVENT " FROM event e WHERE provider = ?1"
                            " AND (?2 = '' OR type = ?2) AND (?3 = '' OR EXISTS"
                            " (SELECT 1 FROM delivery d WHERE d.provider = ?1"
                            " AND d.event_id = e.id AND d.endpoint_id = ?3))"
                            " ORDER BY seq DESC LIMIT ?4",
                            values, COUNT(values));
    struct ledger_event *event;
    int code = SQLITE_NOMEM;

    while (row != NULL && (code = sqlite3_step(row)) == SQLITE_ROW &&
           (event = read_event(ledger, row)) != NULL) {
        each(data, event);
        ledger_event_free(&event);
    }
    sqlite3_finalize(row);
    return code == SQLITE_DONE || complain(ledger, code == SQLITE_ROW ? SQLITE_NOMEM : code);
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

#define DELIVERY                                                                                   \
    "provider, id, event_id, endpoint_id, event_type, status, attempts, response_status,"          \
    " response_body, error, created_us, updated_us"

static size_t list_delivery(const struct ledger_delivery *d, struct value *values)
{
    const struct value all[] = {
        text(d->provider),      text(d->id),     text(d->event_id),     text(d->endpoint_id),
        text(d->event_type),    text(d->status), number(d->attempts),   number(d->response_status),
        text(d->response_body), text(d->error),  number(d->created_us), number(d->updated_us),
    };

    memcpy(values, all, sizeof(all));
    return COUNT(all);
}

bool ledger_add_delivery(struct ledger *ledger, const struct ledger_delivery *delivery)
{
    struct value values[COLUMNS_MAX];
    size_t count = list_delivery(delivery, values);

    return change(ledger,
                  "INSERT INTO delivery(" DELIVERY ")"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                  values, count);
}

bool ledger_change_delivery(struct ledger *ledger, const struct ledger_delivery *delivery)
{
    struct value values[COLUMNS_MAX];
    size_t count = list_delivery(delivery, values);

    return change(ledger,
                  "UPDATE delivery SET event_id = ?3, endpoint_id = ?4, event_type = ?5,"
                  " status = ?6, attempts = ?7, response_status = ?8, response_body = ?9,"
                  " error = ?10, created_us = ?11, updated_us = ?12"
                  " WHERE provider = ?1 AND id = ?2",
                  values, count);
}

static struct ledger_delivery *take_delivery(struct ledger *ledger, sqlite3_stmt *row)
{
    struct ledger_delivery *d = row == NULL ? NULL : calloc(1, sizeof(*d));
    bool good = d != NULL;

    if (good)
        *d = (struct ledger_delivery){
            .provider = take(row, 0, &good),
            .id = take(row, 1, &good),
            .event_id = take(row, 2, &good),
            .endpoint_id = take(row, 3, &good),
            .event_type = take(row, 4, &good),
            .status = take(row, 5, &good),
            .attempts = sqlite3_column_int(row, 6),
            .response_status = sqlite3_column_int(row, 7),
            .response_body = take(row, 8, &good),
            .error = take(row, 9, &good),
            .created_us = sqlite3_column_int64(row, 10),
            .updated_us = sqlite3_column_int64(row, 11),
        };
    if (row != NULL && !good) {
        complain(ledger, SQLITE_NOMEM);
        ledger_delivery_free(&d);
    }
    sqlite3_finalize(row);
    return d;
}

struct ledger_delivery *ledger_delivery(struct ledger *ledger, const char *provider, const char *id)
{
    const struct value values[] = {text(provider), text(id)};

    return take_delivery(ledger, find(ledger,
                                      "SELECT " DELIVERY " FROM delivery"
                                      " WHERE provider = ?1 AND id = ?2",
                                      values, COUNT(values)));
}

struct ledger_delivery *ledger_delivery_at(struct ledger *ledger, const char *provider,
                                           const char *event_id, size_t from)
{
    const struct value values[] = {text(provider), text(event_id), number((int64_t)from)};

    return take_delivery(ledger, find(ledger,
                                      "SELECT " DELIVERY " FROM delivery"
                                      " WHERE provider = ?1 AND event_id = ?2"
                                      " ORDER BY seq LIMIT 1 OFFSET ?3",
                                      values, COUNT(values)));
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
