/* SPDX-License-Identifier: MIT */
#include "cli/emulator/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/emulator/ledger_file.h"
#include "cli/emulator/ledger_query.h"

enum {
    ENDPOINT_COLUMNS = 14
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

bool ledger_failed(const struct ledger *ledger)
{
    return ledger->why[0] != '\0';
}

static bool ledger_run(struct ledger *ledger, const char *sql)
{
    int code = sqlite3_exec(ledger->db, sql, NULL, NULL, NULL);

    return code == SQLITE_OK || ledger_fail(ledger, code);
}

bool ledger_begin(struct ledger *ledger)
{
    ledger->why[0] = '\0';
    return ledger_run(ledger, "BEGIN IMMEDIATE");
}

/* What went wrong before is what there is to be said. */
bool ledger_end(struct ledger *ledger, bool good)
{
    if (good && ledger_run(ledger, "COMMIT"))
        return true;
    sqlite3_exec(ledger->db, "ROLLBACK", NULL, NULL, NULL);
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

static void ledger_wipe_secret(char *secret)
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
