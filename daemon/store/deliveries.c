/* SPDX-License-Identifier: MIT
 *
 * Each delivery's key (id or MAC) is hashed with a random key of the store. Each transaction packs
 * its hashes into one row of `keys`, so that startup rebuilds the dedup index without reading any
 * delivery.
 */
#include "daemon/store/deliveries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "daemon/store/damage.h"
#include "daemon/store/dedup_index.h"

enum {
    ROW_TEXTS = 11
};

static void delivery_row_texts(struct delivery_row *row, hookline_bytes *texts[ROW_TEXTS])
{
    hookline_bytes *all[ROW_TEXTS] = {
        &row->source,     &row->scheme, &row->id,    &row->mac,     &row->delivery_id, &row->type,
        &row->unreadable, &row->remote, &row->query, &row->headers, &row->body,
    };

    memcpy(texts, all, sizeof(all));
}

size_t delivery_row_size(const struct delivery_row *row)
{
    struct delivery_row copy = *row;
    hookline_bytes *texts[ROW_TEXTS];
    size_t size = 0;

    delivery_row_texts(&copy, texts);
    for (size_t i = 0; i < ROW_TEXTS; i++)
        size += texts[i]->len;
    return size;
}

struct delivery_row *delivery_row_copy(const struct delivery_row *row)
{
    struct delivery_row *copy = malloc(sizeof(*copy) + delivery_row_size(row));
    hookline_bytes *texts[ROW_TEXTS];
    char *to;

    if (copy == NULL)
        return NULL;
    *copy = *row;
    to = (char *)(copy + 1);
    delivery_row_texts(copy, texts);
    for (size_t i = 0; i < ROW_TEXTS; i++) {
        if (texts[i]->base == NULL)
            continue;
        memcpy(to, texts[i]->base, texts[i]->len);
        texts[i]->base = to;
        to += texts[i]->len;
    }
    return copy;
}

/* ---- sum of a delivery row */

static uint64_t delivery_row_hash(const void *bytes, size_t len)
{
    static const unsigned char key[crypto_shorthash_KEYBYTES] = "hookline's sums";
    uint64_t hash;

    crypto_shorthash((unsigned char *)&hash, bytes, len, key);
    return hash;
}

/* Detects changed bytes of a request: SQLite keeps no checksums of its pages. The key is public. The
 * time of receipt, which an administrator may correct, is left out. */
static int64_t delivery_row_sum(const struct delivery_row *row)
{
    struct delivery_row copy = *row;
    hookline_bytes *texts[ROW_TEXTS];
    int64_t parts[ROW_TEXTS + 2] = {0};

    /* As stored: see deliveries_insert(). */
    if (row->id.base != NULL)
        copy.mac = (hookline_bytes){0};
    if (row->headers.base == NULL)
        copy.headers.base = "";
    if (row->body.base == NULL)
        copy.body.base = "";
    delivery_row_texts(&copy, texts);
    for (size_t i = 0; i < ROW_TEXTS; i++)
        if (texts[i]->base != NULL)
            parts[i] = (int64_t)delivery_row_hash(texts[i]->base, texts[i]->len);
    parts[ROW_TEXTS] = row->seq;
    parts[ROW_TEXTS + 1] = row->signed_at < 0 ? -1 : row->signed_at;
    return (int64_t)delivery_row_hash(parts, sizeof(parts));
}

bool delivery_row_read(sqlite3_stmt *statement, struct delivery_row *row)
{
    const int sum = 17;

    *row = (struct delivery_row){
        .seq = sqlite3_column_int64(statement, 0),
        .source = db_column_bytes(statement, 1),
        .type = db_column_bytes(statement, 2),
        .scheme = db_column_bytes(statement, 3),
        .id = db_column_bytes(statement, 4),
        .mac = db_column_bytes(statement, 5),
        .remote = db_column_bytes(statement, 6),
        .headers = db_column_bytes(statement, 7),
        .body = db_column_bytes(statement, 8),
        .received_us = sqlite3_column_int64(statement, 9),
        .signed_at = db_column_number(statement, 10),
        .secret = sqlite3_column_int(statement, 11),
        .test = sqlite3_column_int(statement, 12) != 0,
        .fresh = sqlite3_column_int(statement, 13) != 0,
        .delivery_id = db_column_bytes(statement, 14),
        .query = db_column_bytes(statement, 15),
        .unreadable = db_column_bytes(statement, 16),
    };
    return sqlite3_column_type(statement, sum) == SQLITE_NULL ||
           sqlite3_column_int64(statement, sum) == delivery_row_sum(row);
}

bool delivery_row_next_header(hookline_bytes *rest, hookline_bytes *name, hookline_bytes *value)
{
    const char *line = rest->base;
    const char *end = rest->len == 0 ? NULL : memchr(line, '\n', rest->len);
    const char *colon = end == NULL ? NULL : memmem(line, (size_t)(end - line), ": ", 2);

    if (colon == NULL)
        return false;
    *name = (hookline_bytes){line, (size_t)(colon - line)};
    *value = (hookline_bytes){colon + 2, (size_t)(end - colon - 2)};
    rest->base = end + 1;
    rest->len -= (size_t)(end + 1 - line);
    return true;
}

/* ---- deliveries and their keys */

enum {
    HASH_SIZE = sizeof(uint64_t),
    MERGE_ROWS = 256,        /* deliveries_merge_keys() starts at this number */
    MERGED_BYTES = 64 * 1024 /* larger rows are not merged */
};

struct deliveries {
    struct db *db;
    struct db *reader; /* SQLite commits no transaction that has read a damaged page */
    struct dedup_index *dedup_index;
    sqlite3_stmt *insert, *look, *read, *keys, *insert_keys, *delete_keys;
    unsigned char hash_key[crypto_shorthash_KEYBYTES];
    int64_t newest;    /* newest seq, including the open transaction */
    int64_t committed; /* newest seq before the open transaction */
    uint64_t *batch;   /* hashes of the open transaction, from committed + 1 */
    size_t batch_size;
    int64_t merge_from; /* rows of `keys` below this seq are merged */
    size_t unmerged;    /* estimated number of unmerged rows */
};

static int deliveries_prepare(struct deliveries *deliveries)
{
    const struct db_statement all[] = {
        {&deliveries->insert, "INSERT INTO delivery VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"},
        {&deliveries->look, "SELECT source, id, mac, delivery_id FROM delivery WHERE seq = ?"},
        {&deliveries->keys,
         "SELECT first_seq, hashes FROM keys WHERE first_seq >= ? ORDER BY first_seq"},
        {&deliveries->insert_keys, "INSERT INTO keys VALUES (?, ?)"},
        {&deliveries->delete_keys, "DELETE FROM keys WHERE first_seq BETWEEN ? AND ?"},
        {NULL, NULL},
    };

    int code = db_prepare_all(deliveries->db, all);

    return code == SQLITE_OK
               ? db_prepare(deliveries->reader, &deliveries->read,
                            "SELECT " DELIVERY_ROW_COLUMNS " FROM delivery WHERE seq = ?")
               : code;
}

/* One row of `keys`. */
struct deliveries_keys {
    int64_t first;
    size_t count;
    const char *hashes;
};

static struct deliveries_keys deliveries_read_keys(sqlite3_stmt *row)
{
    return (struct deliveries_keys){
        .first = sqlite3_column_int64(row, 0),
        .hashes = sqlite3_column_blob(row, 1),
        .count = (size_t)sqlite3_column_bytes(row, 1) / HASH_SIZE,
    };
}

static uint64_t deliveries_hash_at(const struct deliveries_keys *keys, size_t i)
{
    uint64_t hash;

    memcpy(&hash, keys->hashes + i * HASH_SIZE, HASH_SIZE);
    return hash;
}

static int deliveries_reserve_keys(struct deliveries *deliveries)
{
    int64_t bytes;
    int code = db_query_once(deliveries->db, "SELECT sum(length(hashes)) FROM keys", &bytes);

    if (code == SQLITE_OK &&
        !dedup_index_reserve(deliveries->dedup_index, (size_t)bytes / HASH_SIZE))
        code = SQLITE_NOMEM;
    return code;
}

static bool deliveries_add_keys(struct deliveries *deliveries, const struct deliveries_keys *keys)
{
    const size_t ahead = 16;

    for (size_t i = 0; i < keys->count; i++) {
        if (i + ahead < keys->count)
            dedup_index_prefetch(deliveries->dedup_index, deliveries_hash_at(keys, i + ahead));
        if (!dedup_index_add(deliveries->dedup_index, deliveries_hash_at(keys, i),
                             keys->first + (int64_t)i))
            return false;
    }
    return true;
}

static uint64_t deliveries_hash_bytes(const struct deliveries *deliveries, const void *bytes,
                                      size_t len)
{
    uint64_t hash;

    crypto_shorthash((unsigned char *)&hash, bytes, len, deliveries->hash_key);
    return hash;
}

static bool deliveries_key_has_delivery_id(const struct delivery_row *row)
{
    return row->id.base == NULL && !row->mac_is_key && row->delivery_id.len > 0;
}

static uint64_t deliveries_hash_of(const struct deliveries *deliveries,
                                   const struct delivery_row *row)
{
    const hookline_bytes *key = row->id.base != NULL ? &row->id : &row->mac;
    const bool by_delivery = key == &row->mac && deliveries_key_has_delivery_id(row);
    const uint64_t parts[] = {
        deliveries_hash_bytes(deliveries, row->source.base, row->source.len),
        deliveries_hash_bytes(deliveries, key->base, key->len),
        key == &row->id,
        deliveries_hash_bytes(deliveries, row->delivery_id.base, row->delivery_id.len),
    };

    return deliveries_hash_bytes(deliveries, parts,
                                 by_delivery ? sizeof(parts) : sizeof(parts) - sizeof(parts[0]));
}

/* Hashes the deliveries beyond `newest` again, because their keys are damaged. The store does not
 * know which of them have mac_is_key. */
static int deliveries_load_rows(struct deliveries *deliveries)
{
    sqlite3_stmt *query = NULL;
    struct delivery_row row;
    int code = db_prepare(deliveries->db, &query,
                          "SELECT " DELIVERY_ROW_COLUMNS
                          " FROM delivery WHERE seq >= ?1 + 1 ORDER BY seq");

    sqlite3_bind_int64(query, 1, deliveries->newest);
    while (code == SQLITE_OK && (code = sqlite3_step(query)) == SQLITE_ROW) {
        code = SQLITE_OK;
        if (!delivery_row_read(query, &row))
            continue;
        if (!dedup_index_add(deliveries->dedup_index, deliveries_hash_of(deliveries, &row),
                             row.seq))
            code = SQLITE_NOMEM;
    }
    sqlite3_finalize(query);
    return code == SQLITE_DONE || damage_is(code) ? SQLITE_OK : code;
}

static int deliveries_load_keys(struct deliveries *deliveries)
{
    int code = deliveries_reserve_keys(deliveries);

    if (code != SQLITE_OK && !damage_is(code))
        return code;
    sqlite3_bind_int64(deliveries->keys, 1, 0);
    while ((code = sqlite3_step(deliveries->keys)) == SQLITE_ROW) {
        struct deliveries_keys keys = deliveries_read_keys(deliveries->keys);

        if (!deliveries_add_keys(deliveries, &keys)) {
            code = SQLITE_NOMEM;
            break;
        }
        deliveries->newest = keys.first + (int64_t)keys.count - 1;
        deliveries->unmerged++;
    }
    sqlite3_reset(deliveries->keys);
    if (damage_is(code))
        return deliveries_load_rows(deliveries);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int deliveries_load_newest(struct deliveries *deliveries)
{
    int64_t newest;
    int code = db_query_once(deliveries->db,
                             "SELECT max((SELECT coalesce(max(seq), 0) FROM delivery),"
                             " (SELECT coalesce(max(cursor), 0) FROM destination))",
                             &newest);

    if (newest > deliveries->newest)
        deliveries->newest = newest;
    deliveries->committed = deliveries->newest;
    /* The newest keys say it as well. */
    return damage_is(code) && newest == 0 && deliveries->newest > 0 ? SQLITE_OK : code;
}

static int deliveries_load_hash_key(struct deliveries *deliveries)
{
    sqlite3_stmt *query = NULL;
    int code = db_prepare(deliveries->db, &query, "SELECT value FROM meta WHERE name = 'hash_key'");

    if (code == SQLITE_OK && sqlite3_step(query) == SQLITE_ROW &&
        sqlite3_column_bytes(query, 0) == sizeof(deliveries->hash_key))
        memcpy(deliveries->hash_key, sqlite3_column_blob(query, 0), sizeof(deliveries->hash_key));
    else if (code == SQLITE_OK)
        code = SQLITE_CORRUPT;
    sqlite3_finalize(query);
    return code;
}

struct deliveries *deliveries_open(struct db *db, char why[DB_WHY_SIZE])
{
    struct deliveries *deliveries = calloc(1, sizeof(*deliveries));
    int code;

    if (deliveries == NULL || (deliveries->dedup_index = dedup_index_new()) == NULL) {
        snprintf(why, DB_WHY_SIZE, "%s: out of memory", db_path(db));
        deliveries_close(&deliveries);
        return NULL;
    }
    deliveries->db = db;
    if ((deliveries->reader = db_open(db_path(db), DB_READ, why)) == NULL) {
        deliveries_close(&deliveries);
        return NULL;
    }
    if ((code = deliveries_prepare(deliveries)) != SQLITE_OK ||
        (code = deliveries_load_hash_key(deliveries)) != SQLITE_OK ||
        (code = deliveries_load_keys(deliveries)) != SQLITE_OK ||
        (code = deliveries_load_newest(deliveries)) != SQLITE_OK) {
        db_error_text(db, code, why);
        deliveries_close(&deliveries);
    }
    return deliveries;
}

void deliveries_close(struct deliveries **deliveries)
{
    struct deliveries *d = *deliveries;

    if (d == NULL)
        return;
    db_close(&d->reader);
    dedup_index_free(&d->dedup_index);
    free(d->batch);
    free(d);
    *deliveries = NULL;
}

static bool deliveries_column_is(sqlite3_stmt *row, int column, hookline_bytes bytes)
{
    const void *value = sqlite3_column_blob(row, column);

    if (bytes.base == NULL)
        return sqlite3_column_type(row, column) == SQLITE_NULL;
    return (size_t)sqlite3_column_bytes(row, column) == bytes.len &&
           (bytes.len == 0 || memcmp(value, bytes.base, bytes.len) == 0);
}

struct deliveries_search {
    struct deliveries *deliveries;
    struct delivery_row *row;
};

/* Returns SQLITE_ROW if the delivery `seq` has the same key, 0 if another one. */
static int deliveries_is_duplicate(void *data, int64_t seq)
{
    const struct deliveries_search *search = data;
    const struct delivery_row *row = search->row;
    sqlite3_stmt *look = search->deliveries->look;
    int code;

    sqlite3_bind_int64(look, 1, seq);
    code = sqlite3_step(look);
    if (code == SQLITE_ROW &&
        !(deliveries_column_is(look, 0, row->source) && deliveries_column_is(look, 1, row->id) &&
          (row->id.base != NULL || deliveries_column_is(look, 2, row->mac)) &&
          (!deliveries_key_has_delivery_id(row) ||
           deliveries_column_is(look, 3, row->delivery_id))))
        code = SQLITE_DONE;
    sqlite3_reset(look);
    if (code == SQLITE_ROW)
        search->row->seq = seq;
    return code == SQLITE_DONE ? 0 : code;
}

int deliveries_check(struct deliveries *deliveries, int64_t seq, size_t *bytes)
{
    struct delivery_row row;
    int code;

    sqlite3_bind_int64(deliveries->read, 1, seq);
    code = sqlite3_step(deliveries->read);
    if (code == SQLITE_ROW && !delivery_row_read(deliveries->read, &row))
        code = SQLITE_CORRUPT;
    if (code == SQLITE_ROW && bytes != NULL)
        *bytes += delivery_row_size(&row);
    sqlite3_reset(deliveries->read);
    return damage_is(code) ? SQLITE_CORRUPT : code;
}

/* Passes a damaged delivery by: only a delivery that can be read again makes a duplicate. The reader
 * does not see a delivery of the open transaction. */
static int deliveries_confirm(void *data, int64_t seq)
{
    const struct deliveries_search *search = data;
    int code = deliveries_check(search->deliveries, seq, NULL);

    if (code == SQLITE_CORRUPT)
        return damage_note(search->deliveries->db, seq);
    return code == SQLITE_ROW || code == SQLITE_DONE ? deliveries_is_duplicate(data, seq) : code;
}

static void deliveries_bind_text(sqlite3_stmt *statement, int column, hookline_bytes text)
{
    sqlite3_bind_text(statement, column, text.base, (int)text.len, SQLITE_STATIC);
}

static void deliveries_bind_blob(sqlite3_stmt *statement, int column, hookline_bytes bytes)
{
    sqlite3_bind_blob64(statement, column, bytes.base, bytes.len, SQLITE_STATIC);
}

static int deliveries_insert(struct deliveries *deliveries, const struct delivery_row *row)
{
    sqlite3_stmt *to = deliveries->insert;
    const hookline_bytes none = {0}, empty = {"", 0};

    sqlite3_bind_int64(to, 1, row->seq);
    deliveries_bind_text(to, 2, row->source);
    deliveries_bind_text(to, 3, row->scheme);
    deliveries_bind_text(to, 4, row->id);
    deliveries_bind_blob(to, 5, row->id.base == NULL ? row->mac : none);
    deliveries_bind_text(to, 6, row->type);
    sqlite3_bind_int(to, 7, row->test);
    sqlite3_bind_int(to, 8, row->fresh);
    sqlite3_bind_int(to, 9, row->secret);
    sqlite3_bind_int64(to, 10, row->received_us);
    if (row->signed_at >= 0)
        sqlite3_bind_int64(to, 11, row->signed_at);
    else
        sqlite3_bind_null(to, 11);
    deliveries_bind_text(to, 12, row->remote);
    deliveries_bind_text(to, 13, row->headers.base == NULL ? empty : row->headers);
    deliveries_bind_blob(to, 14, row->body.base == NULL ? empty : row->body);
    deliveries_bind_text(to, 15, row->delivery_id);
    deliveries_bind_text(to, 16, row->query);
    deliveries_bind_text(to, 17, row->unreadable);
    sqlite3_bind_int64(to, 18, delivery_row_sum(row));
    return db_run(to);
}

static bool deliveries_reserve_batch(struct deliveries *deliveries)
{
    size_t count = (size_t)(deliveries->newest - deliveries->committed);
    uint64_t *bigger;

    if (count < deliveries->batch_size)
        return true;
    bigger = realloc(deliveries->batch, (count + 1) * 2 * HASH_SIZE);
    if (bigger == NULL)
        return false;
    deliveries->batch = bigger;
    deliveries->batch_size = (count + 1) * 2;
    return true;
}

int deliveries_find(struct deliveries *deliveries, struct delivery_row *row)
{
    struct deliveries_search search = {deliveries, row};
    int code;

    row->seq = 0;
    code = dedup_index_find(deliveries->dedup_index, deliveries_hash_of(deliveries, row),
                            deliveries_confirm, &search);
    return code == 0 || code == SQLITE_ROW ? SQLITE_OK : code;
}

int deliveries_put(struct deliveries *deliveries, struct delivery_row *row,
                   enum deliveries_outcome *verdict)
{
    struct deliveries_search search = {deliveries, row};
    uint64_t hash = deliveries_hash_of(deliveries, row);
    int code = dedup_index_find(deliveries->dedup_index, hash, deliveries_confirm, &search);

    *verdict = DELIVERIES_DUPLICATE;
    if (code != 0)
        return code == SQLITE_ROW ? SQLITE_OK : code;
    *verdict = DELIVERIES_STORED;
    if (!deliveries_reserve_batch(deliveries))
        return SQLITE_NOMEM;
    row->seq = deliveries->newest + 1;
    if ((code = deliveries_insert(deliveries, row)) != SQLITE_OK)
        return code;
    if (!dedup_index_add(deliveries->dedup_index, hash, row->seq))
        return SQLITE_NOMEM;
    deliveries->batch[deliveries->newest - deliveries->committed] = hash;
    deliveries->newest = row->seq;
    return SQLITE_OK;
}

static int deliveries_write_keys(struct deliveries *deliveries, int64_t first, const void *hashes,
                                 size_t bytes)
{
    sqlite3_bind_int64(deliveries->insert_keys, 1, first);
    sqlite3_bind_blob64(deliveries->insert_keys, 2, hashes, bytes, SQLITE_STATIC);
    return db_run(deliveries->insert_keys);
}

int deliveries_before_commit(struct deliveries *deliveries)
{
    size_t count = (size_t)(deliveries->newest - deliveries->committed);

    if (count == 0)
        return SQLITE_OK;
    deliveries->unmerged++;
    return deliveries_write_keys(deliveries, deliveries->committed + 1, deliveries->batch,
                                 count * HASH_SIZE);
}

void deliveries_after_transaction(struct deliveries *deliveries, bool committed)
{
    for (; !committed && deliveries->newest > deliveries->committed; deliveries->newest--)
        dedup_index_remove(deliveries->dedup_index,
                           deliveries->batch[deliveries->newest - deliveries->committed - 1],
                           deliveries->newest);
    deliveries->committed = deliveries->newest;
}

struct db *deliveries_reader(struct deliveries *deliveries)
{
    return deliveries->reader;
}

int64_t deliveries_newest(const struct deliveries *deliveries)
{
    return deliveries->committed;
}

size_t deliveries_key_count(const struct deliveries *deliveries)
{
    return dedup_index_count(deliveries->dedup_index);
}

static int deliveries_delete_keys(struct deliveries *deliveries, int64_t first, int64_t last)
{
    sqlite3_bind_int64(deliveries->delete_keys, 1, first);
    sqlite3_bind_int64(deliveries->delete_keys, 2, last);
    return db_run(deliveries->delete_keys);
}

/* A rollback may restore the row after its hashes left the index. That is harmless, because an
 * earlier transaction has deleted its deliveries. */
int deliveries_forget_keys(struct deliveries *deliveries, int64_t before)
{
    struct deliveries_keys keys;
    int code;

    sqlite3_bind_int64(deliveries->keys, 1, 0);
    code = sqlite3_step(deliveries->keys);
    if (code == SQLITE_ROW) {
        keys = deliveries_read_keys(deliveries->keys);
        if (keys.first + (int64_t)keys.count > before)
            code = SQLITE_DONE;
        for (size_t i = 0; code == SQLITE_ROW && i < keys.count; i++)
            dedup_index_remove(deliveries->dedup_index, deliveries_hash_at(&keys, i),
                               keys.first + (int64_t)i);
    }
    sqlite3_reset(deliveries->keys);
    if (code == SQLITE_ROW &&
        (code = deliveries_delete_keys(deliveries, keys.first, keys.first)) == SQLITE_OK)
        code = SQLITE_ROW;
    return code;
}

/* Consecutive rows without a gap in seq, starting at merge_from. */
struct deliveries_key_run {
    int64_t first, last, end; /* first_seq of the first and last row; next seq */
    size_t rows, bytes;
    char hashes[2 * MERGED_BYTES];
};

static void deliveries_gather_keys(struct deliveries *deliveries, struct deliveries_key_run *run)
{
    *run = (struct deliveries_key_run){.first = 0};
    sqlite3_bind_int64(deliveries->keys, 1, deliveries->merge_from);
    while (run->bytes < MERGED_BYTES && sqlite3_step(deliveries->keys) == SQLITE_ROW) {
        struct deliveries_keys keys = deliveries_read_keys(deliveries->keys);
        size_t bytes = keys.count * HASH_SIZE;

        if (run->rows > 0 && (keys.first != run->end || bytes > MERGED_BYTES))
            break;
        if (run->rows++ == 0)
            run->first = keys.first;
        run->last = keys.first;
        run->end = keys.first + (int64_t)keys.count;
        if (bytes <= MERGED_BYTES)
            memcpy(run->hashes + run->bytes, keys.hashes, bytes);
        run->bytes += bytes;
    }
    sqlite3_reset(deliveries->keys);
}

int deliveries_merge_keys(struct deliveries *deliveries)
{
    struct deliveries_key_run *run;
    int code = SQLITE_OK;

    if (deliveries->unmerged < MERGE_ROWS)
        return SQLITE_DONE;
    if ((run = malloc(sizeof(*run))) == NULL)
        return SQLITE_NOMEM;
    deliveries_gather_keys(deliveries, run);
    if (run->rows > 1 &&
        (code = deliveries_delete_keys(deliveries, run->first, run->last)) == SQLITE_OK)
        code = deliveries_write_keys(deliveries, run->first, run->hashes, run->bytes);
    if (run->rows == 0) {
        /* Retention has deleted the counted rows since. */
        deliveries->unmerged = 0;
        code = SQLITE_DONE;
    } else if (code == SQLITE_OK) {
        /* Keep the last run open, because later rows may extend it. */
        deliveries->merge_from = deliveries->unmerged > run->rows ? run->end : run->first;
        deliveries->unmerged =
            deliveries->unmerged > run->rows ? deliveries->unmerged - run->rows : 1;
        code = SQLITE_ROW;
    }
    free(run);
    return code;
}
