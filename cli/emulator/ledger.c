/* SPDX-License-Identifier: MIT */
#include "cli/emulator/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "daemon/base/clock.h"

/* ---- queries */

struct ledger {
    struct sqlite_file file;
    char why[LEDGER_WHY_SIZE];
};

/* A bound parameter. */
struct ledger_value {
    bool is_number;
    const char *text; /* may be NULL */
    int64_t number;
};

static inline struct ledger_value ledger_text(const char *text)
{
    return (struct ledger_value){.text = text};
}

static inline struct ledger_value ledger_number(int64_t number)
{
    return (struct ledger_value){.is_number = true, .number = number};
}

#define LEDGER_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Sets ledger_why(); returns false. */
static bool ledger_fail(struct ledger *ledger, int code)
{
    snprintf(ledger->why, sizeof(ledger->why), "the emulator's store: %s", sqlite3_errstr(code));
    return false;
}

/* Returns a bound statement for sqlite3_finalize(); NULL on failure. The texts of `values` must
 * live until then. */
static sqlite3_stmt *ledger_prepare(struct ledger *ledger, const char *sql,
                                    const struct ledger_value *values, size_t count)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(ledger->file.sqlite, sql, -1, &statement, NULL);

    ledger->why[0] = '\0';
    for (size_t i = 0; code == SQLITE_OK && i < count; i++)
        code = values[i].is_number
                   ? sqlite3_bind_int64(statement, (int)i + 1, values[i].number)
                   : sqlite3_bind_text(statement, (int)i + 1, values[i].text, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        return statement;
    ledger_fail(ledger, code);
    sqlite3_finalize(statement);
    return NULL;
}

/* Returns true if the statement changed a row. */
static bool ledger_execute(struct ledger *ledger, const char *sql,
                           const struct ledger_value *values, size_t count)
{
    sqlite3_stmt *statement = ledger_prepare(ledger, sql, values, count);
    int code;

    if (statement == NULL)
        return false;
    code = sqlite3_step(statement);
    sqlite3_finalize(statement);
    if (code != SQLITE_DONE)
        return ledger_fail(ledger, code);
    return sqlite3_changes(ledger->file.sqlite) > 0;
}

/* Returns the statement at its first row, for sqlite3_finalize(); NULL if there is none. */
static sqlite3_stmt *ledger_query_row(struct ledger *ledger, const char *sql,
                                      const struct ledger_value *values, size_t count)
{
    sqlite3_stmt *statement = ledger_prepare(ledger, sql, values, count);
    int code;

    if (statement == NULL)
        return NULL;
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        return statement;
    sqlite3_finalize(statement);
    if (code != SQLITE_DONE)
        ledger_fail(ledger, code);
    return NULL;
}

/* Returns a copy of the column; NULL for NULL. On ENOMEM sets *good to false. */
static char *ledger_column_text(sqlite3_stmt *row, int column, bool *good)
{
    const char *found = (const char *)sqlite3_column_text(row, column);
    char *copy = found == NULL ? NULL : strdup(found);

    if (copy == NULL && sqlite3_column_type(row, column) != SQLITE_NULL)
        *good = false;
    return copy;
}

/* ---- schema */

/* The triggers keep the newest 10,000 events and 20,000 deliveries. */
static const char *const ledger_migrations[] = {
    "CREATE TABLE setting(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE endpoint(seq INTEGER PRIMARY KEY AUTOINCREMENT, provider TEXT NOT NULL,"
    " id TEXT NOT NULL, source TEXT UNIQUE, scheme TEXT, description TEXT, url TEXT NOT NULL, "
    "signed_url TEXT,"
    " secret TEXT NOT NULL, previous_secret TEXT NOT NULL, faults TEXT NOT NULL,"
    " detail TEXT NOT NULL, enabled INTEGER NOT NULL, created_us INTEGER NOT NULL,"
    " updated_us INTEGER NOT NULL, UNIQUE(provider, id));"
    "CREATE TABLE event(seq INTEGER PRIMARY KEY AUTOINCREMENT, provider TEXT NOT NULL,"
    " id TEXT NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL, created_us INTEGER NOT NULL,"
    " UNIQUE(provider, id));"
    "CREATE TRIGGER old_events AFTER INSERT ON event BEGIN"
    " DELETE FROM event WHERE seq <= new.seq - 10000; END;"
    "CREATE TABLE delivery(seq INTEGER PRIMARY KEY AUTOINCREMENT, provider TEXT NOT NULL,"
    " id TEXT NOT NULL, event_id TEXT NOT NULL, endpoint_id TEXT NOT NULL,"
    " event_type TEXT NOT NULL, status TEXT NOT NULL, attempts INTEGER NOT NULL,"
    " response_status INTEGER NOT NULL, response_body TEXT, error TEXT,"
    " created_us INTEGER NOT NULL, updated_us INTEGER NOT NULL, UNIQUE(provider, id));"
    "CREATE INDEX delivery_event ON delivery(provider, event_id);"
    "CREATE TRIGGER old_deliveries AFTER INSERT ON delivery BEGIN"
    " DELETE FROM delivery WHERE seq <= new.seq - 20000; END;",
};

static const struct sqlite_schema ledger_schema = {
    .kind = "store of an emulator",
    .program = "hookline",
    .application_id = 0x686f656d, /* "hoem" */
    .version = LEDGER_COUNT(ledger_migrations),
    .migrations = ledger_migrations,
};

/* ---- ledger */

enum {
    ENDPOINT_COLUMNS = 14
};

static bool ledger_open_file(struct ledger *ledger, const char *path, char *why)
{
    struct sqlite_file *file = &ledger->file;

    return sqlite_file_open(file, &ledger_schema, path, SQLITE_FILE_WRITE, why) &&
           sqlite_file_execute(file, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL", why) &&
           sqlite_file_execute(file, "PRAGMA secure_delete=FAST", why) &&
           sqlite_file_migrate(file, why);
}

struct ledger *ledger_open(const char *path, char why[LEDGER_WHY_SIZE])
{
    struct ledger *ledger = calloc(1, sizeof(*ledger));
    mode_t mask = umask(0077);

    if (ledger == NULL)
        snprintf(why, LEDGER_WHY_SIZE, "out of memory");
    else if (!ledger_open_file(ledger, path, why))
        ledger_close(&ledger);
    umask(mask);
    return ledger;
}

void ledger_close(struct ledger **ledger)
{
    if (*ledger != NULL)
        sqlite_file_close(&(*ledger)->file);
    free(*ledger);
    *ledger = NULL;
}

const char *ledger_why(const struct ledger *ledger)
{
    return ledger->why;
}

bool ledger_failed(const struct ledger *ledger)
{
    return ledger->why[0] != '\0';
}

static bool ledger_run(struct ledger *ledger, const char *sql)
{
    int code = sqlite3_exec(ledger->file.sqlite, sql, NULL, NULL, NULL);

    return code == SQLITE_OK || ledger_fail(ledger, code);
}

bool ledger_begin(struct ledger *ledger)
{
    ledger->why[0] = '\0';
    return ledger_run(ledger, "BEGIN IMMEDIATE");
}

/* Keeps an earlier error: ledger_why() reports the cause, not the rollback. */
bool ledger_end(struct ledger *ledger, bool good)
{
    if (good && ledger_run(ledger, "COMMIT"))
        return true;
    sqlite3_exec(ledger->file.sqlite, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

/* ---- settings */

bool ledger_setting(struct ledger *ledger, const char *name, const char *value, char *out,
                    size_t size)
{
    const struct ledger_value values[] = {ledger_text(name), ledger_text(value)};
    sqlite3_stmt *row;

    ledger_execute(ledger, "INSERT OR IGNORE INTO setting(name, value) VALUES (?1, ?2)", values, 2);
    if ((row = ledger_query_row(ledger, "SELECT value FROM setting WHERE name = ?1", values, 1)) ==
        NULL)
        return false;
    snprintf(out, size, "%s", (const char *)sqlite3_column_text(row, 0));
    sqlite3_finalize(row);
    return true;
}

/* ---- endpoints */

#define ENDPOINT_LIST                                                                              \
    "provider, id, source, scheme, description, url, signed_url, secret, previous_secret, faults," \
    " detail, enabled, created_us, updated_us"

static size_t ledger_endpoint_values(const struct ledger_endpoint *e, struct ledger_value *values)
{
    const struct ledger_value all[] = {
        ledger_text(e->provider),
        ledger_text(e->id),
        ledger_text(e->source),
        ledger_text(e->scheme),
        ledger_text(e->description),
        ledger_text(e->url),
        ledger_text(e->signed_url),
        ledger_text(e->secret),
        ledger_text(e->previous_secret == NULL ? "" : e->previous_secret),
        ledger_text(e->faults == NULL ? "" : e->faults),
        ledger_text(e->detail == NULL ? "{}" : e->detail),
        ledger_number(e->enabled),
        ledger_number(e->created_us),
        ledger_number(e->updated_us),
    };

    memcpy(values, all, sizeof(all));
    return LEDGER_COUNT(all);
}

bool ledger_add_endpoint(struct ledger *ledger, const struct ledger_endpoint *endpoint)
{
    struct ledger_value values[ENDPOINT_COLUMNS];
    size_t count = ledger_endpoint_values(endpoint, values);

    return ledger_execute(ledger,
                          "INSERT INTO endpoint(" ENDPOINT_LIST ")"
                          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
                          values, count);
}

bool ledger_change_endpoint(struct ledger *ledger, const struct ledger_endpoint *endpoint)
{
    struct ledger_value values[ENDPOINT_COLUMNS];
    size_t count = ledger_endpoint_values(endpoint, values);

    return ledger_execute(
        ledger,
        "UPDATE endpoint SET source = ?3, scheme = ?4, description = ?5, url = ?6,"
        " signed_url = ?7, secret = ?8, previous_secret = ?9, faults = ?10,"
        " detail = ?11, enabled = ?12, created_us = ?13, updated_us = ?14"
        " WHERE provider = ?1 AND id = ?2",
        values, count);
}

bool ledger_remove_endpoint(struct ledger *ledger, const char *provider, const char *id)
{
    const struct ledger_value values[] = {ledger_text(provider), ledger_text(id)};

    return ledger_execute(ledger, "DELETE FROM endpoint WHERE provider = ?1 AND id = ?2", values,
                          LEDGER_COUNT(values));
}

static struct ledger_endpoint *ledger_endpoint_from_row(struct ledger *ledger, sqlite3_stmt *row)
{
    struct ledger_endpoint *e = row == NULL ? NULL : calloc(1, sizeof(*e));
    bool good = e != NULL;

    if (good)
        *e = (struct ledger_endpoint){
            .provider = ledger_column_text(row, 0, &good),
            .id = ledger_column_text(row, 1, &good),
            .source = ledger_column_text(row, 2, &good),
            .scheme = ledger_column_text(row, 3, &good),
            .description = ledger_column_text(row, 4, &good),
            .url = ledger_column_text(row, 5, &good),
            .signed_url = ledger_column_text(row, 6, &good),
            .secret = ledger_column_text(row, 7, &good),
            .previous_secret = ledger_column_text(row, 8, &good),
            .faults = ledger_column_text(row, 9, &good),
            .detail = ledger_column_text(row, 10, &good),
            .enabled = sqlite3_column_int(row, 11) != 0,
            .created_us = sqlite3_column_int64(row, 12),
            .updated_us = sqlite3_column_int64(row, 13),
        };
    if (row != NULL && !good) {
        ledger_fail(ledger, SQLITE_NOMEM);
        ledger_endpoint_free(&e);
    }
    sqlite3_finalize(row);
    return e;
}

struct ledger_endpoint *ledger_endpoint(struct ledger *ledger, const char *provider, const char *id)
{
    const struct ledger_value values[] = {ledger_text(provider), ledger_text(id)};

    return ledger_endpoint_from_row(ledger,
                                    ledger_query_row(ledger,
                                                     "SELECT " ENDPOINT_LIST " FROM endpoint"
                                                     " WHERE provider = ?1 AND id = ?2",
                                                     values, LEDGER_COUNT(values)));
}

struct ledger_endpoint *ledger_endpoint_of_source(struct ledger *ledger, const char *source)
{
    const struct ledger_value values[] = {ledger_text(source)};

    return ledger_endpoint_from_row(
        ledger, ledger_query_row(ledger, "SELECT " ENDPOINT_LIST " FROM endpoint WHERE source = ?1",
                                 values, 1));
}

struct ledger_endpoint *ledger_endpoint_at(struct ledger *ledger, const char *provider, size_t from)
{
    const struct ledger_value values[] = {ledger_text(provider), ledger_number((int64_t)from)};

    return ledger_endpoint_from_row(ledger,
                                    ledger_query_row(ledger,
                                                     "SELECT " ENDPOINT_LIST " FROM endpoint"
                                                     " WHERE ?1 IS NULL OR provider = ?1"
                                                     " ORDER BY seq LIMIT 1 OFFSET ?2",
                                                     values, LEDGER_COUNT(values)));
}

void ledger_wipe_secret(char *secret)
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
    ledger_wipe_secret(e->secret);
    ledger_wipe_secret(e->previous_secret);
    free(e->faults);
    free(e->detail);
    free(e);
    *endpoint = NULL;
}

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

/* ---- endpoint details */

struct ledger_endpoint *ledger_endpoint_new(const char *provider, const char *id,
                                            const char *secret, const char *faults)
{
    struct ledger_endpoint *endpoint = calloc(1, sizeof(*endpoint));

    if (endpoint == NULL)
        return NULL;
    endpoint->enabled = true;
    endpoint->created_us = endpoint->updated_us = clock_wall_us();
    if (!ledger_set_text(&endpoint->provider, provider) || !ledger_set_text(&endpoint->id, id) ||
        !ledger_set_text(&endpoint->scheme, provider) || !ledger_set_text(&endpoint->url, "") ||
        !ledger_set_text(&endpoint->secret, secret) ||
        !ledger_set_text(&endpoint->previous_secret, "") ||
        !ledger_set_text(&endpoint->faults, faults) || !ledger_set_text(&endpoint->detail, "{}"))
        ledger_endpoint_free(&endpoint);
    return endpoint;
}

const char *ledger_endpoint_provider(const struct ledger_endpoint *endpoint)
{
    bool is_tripwire = endpoint->scheme != NULL && strcmp(endpoint->scheme, "tripwire") == 0;

    return is_tripwire ? endpoint->scheme : endpoint->provider;
}

static cJSON *ledger_endpoint_detail_read(const struct ledger_endpoint *endpoint)
{
    return cJSON_Parse(endpoint->detail != NULL ? endpoint->detail : "{}");
}

cJSON *ledger_endpoint_detail_get(const struct ledger_endpoint *endpoint, const char *member)
{
    cJSON *detail = ledger_endpoint_detail_read(endpoint);
    cJSON *value = cJSON_DetachItemFromObjectCaseSensitive(detail, member);

    cJSON_Delete(detail);
    return value;
}

bool ledger_endpoint_detail_set(struct ledger_endpoint *endpoint, const char *member,
                                const cJSON *value)
{
    cJSON *detail = ledger_endpoint_detail_read(endpoint);
    cJSON *copy = value != NULL ? cJSON_Duplicate(value, 1) : NULL;
    char *text = NULL;

    cJSON_DeleteItemFromObjectCaseSensitive(detail, member);
    if (value == NULL || cJSON_AddItemToObject(detail, member, copy))
        text = cJSON_PrintUnformatted(detail);
    else
        cJSON_Delete(copy);
    cJSON_Delete(detail);
    if (text == NULL)
        return false;
    free(endpoint->detail);
    endpoint->detail = text;
    return true;
}

cJSON *ledger_text_array(const char *const *texts)
{
    int count = 0;

    while (texts[count] != NULL)
        count++;
    return cJSON_CreateStringArray(texts, count);
}

cJSON *ledger_endpoint_event_types(const struct ledger_endpoint *endpoint, const char *const *usual)
{
    cJSON *events = ledger_endpoint_detail_get(endpoint, "events");

    if (cJSON_IsArray(events))
        return events;
    cJSON_Delete(events);
    return ledger_text_array(usual);
}

bool ledger_set_text(char **member, const char *text)
{
    char *copy = strdup(text);

    if (copy == NULL)
        return false;
    free(*member);
    *member = copy;
    return true;
}
