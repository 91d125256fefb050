/* SPDX-License-Identifier: MIT
 *
 * The keys of all deliveries are hashed with a key of the store's own, and the hashes are packed
 * into a row for each transaction, so that the index in memory is there again a moment after a
 * start, whatever the deliveries hold.
 */
#include "daemon/store/deliveries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "daemon/store/dedup_index.h"

enum {
    ROW_TEXTS = 8
};

static void delivery_row_texts(struct delivery_row *row, hookline_bytes *texts[ROW_TEXTS])
{
    hookline_bytes *all[ROW_TEXTS] = {
        &row->source, &row->scheme, &row->id,      &row->mac,
        &row->type,   &row->remote, &row->headers, &row->body,
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

/* ---- The keys of all deliveries are hashed with a key of the store's own, and the hashes are packed
 * into a row for each transaction, so that the index in memory is there again a moment after a
 * start, whatever the deliveries hold. */

enum {
    HASH_SIZE = sizeof(uint64_t),
    MERGE_ROWS = 256,        /* of `keys` are enough for deliveries_merge_keys() to begin */
    MERGED_BYTES = 64 * 1024 /* a row of at least so much stays as it is */
};

struct deliveries {
    struct db *db;
    struct dedup_index *dedup_index;
    sqlite3_stmt *insert, *look, *keys, *insert_keys, *delete_keys;
    unsigned char hash_key[crypto_shorthash_KEYBYTES];
    int64_t newest;    /* of this transaction, too */
    int64_t committed; /* the newest one before it */
    uint64_t *batch;   /* the hashes of this transaction, from committed + 1 on */
    size_t batch_size;
    int64_t merge_from; /* the rows of `keys` before this are merged */
    size_t unmerged;    /* about so many rows are not */
};

static int deliveries_prepare(struct deliveries *s)
{
    const struct db_statement all[] = {
        {&s->insert, "INSERT INTO delivery VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"},
        {&s->look, "SELECT source, id, mac FROM delivery WHERE seq = ?"},
        {&s->keys, "SELECT first_seq, hashes FROM keys WHERE first_seq >= ? ORDER BY first_seq"},
        {&s->insert_keys, "INSERT INTO keys VALUES (?, ?)"},
        {&s->delete_keys, "DELETE FROM keys WHERE first_seq BETWEEN ? AND ?"},
        {NULL, NULL},
    };

    return db_prepare_all(s->db, all);
}

/* A row of `keys`. */
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

static int deliveries_reserve_keys(struct deliveries *s)
{
    sqlite3_stmt *query = NULL;
    int64_t bytes = 0;
    int code = db_prepare(s->db, &query, "SELECT sum(length(hashes)) FROM keys");

    if (code == SQLITE_OK)
        code = db_query_number(query, &bytes, 0);
    sqlite3_finalize(query);
    if (code == SQLITE_OK && !dedup_index_reserve(s->dedup_index, (size_t)bytes / HASH_SIZE))
        code = SQLITE_NOMEM;
    return code;
}

static bool deliveries_add_keys(struct deliveries *s, const struct deliveries_keys *keys)
{
    const size_t ahead = 16;

    for (size_t i = 0; i < keys->count; i++) {
        if (i + ahead < keys->count)
            dedup_index_prefetch(s->dedup_index, deliveries_hash_at(keys, i + ahead));
        if (!dedup_index_add(s->dedup_index, deliveries_hash_at(keys, i), keys->first + (int64_t)i))
            return false;
    }
    return true;
}

static int deliveries_load_keys(struct deliveries *s)
{
    int code = deliveries_reserve_keys(s);

    if (code != SQLITE_OK)
        return code;
    sqlite3_bind_int64(s->keys, 1, 0);
    while ((code = sqlite3_step(s->keys)) == SQLITE_ROW) {
        struct deliveries_keys keys = deliveries_read_keys(s->keys);

        if (!deliveries_add_keys(s, &keys)) {
            code = SQLITE_NOMEM;
            break;
        }
        s->newest = keys.first + (int64_t)keys.count - 1;
        s->unmerged++;
    }
    sqlite3_reset(s->keys);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int deliveries_load_newest(struct deliveries *s)
{
    sqlite3_stmt *query = NULL;
    int64_t newest = 0;
    int code = db_prepare(s->db, &query,
                          "SELECT max((SELECT coalesce(max(seq), 0) FROM delivery),"
                          " (SELECT coalesce(max(cursor), 0) FROM destination))");

    if (code == SQLITE_OK)
        code = db_query_number(query, &newest, 0);
    sqlite3_finalize(query);
    if (newest > s->newest)
        s->newest = newest;
    s->committed = s->newest;
    return code;
}

static int deliveries_load_hash_key(struct deliveries *s)
{
    sqlite3_stmt *query = NULL;
    int code = db_prepare(s->db, &query, "SELECT value FROM meta WHERE name = 'hash_key'");

    if (code == SQLITE_OK && sqlite3_step(query) == SQLITE_ROW &&
        sqlite3_column_bytes(query, 0) == sizeof(s->hash_key))
        memcpy(s->hash_key, sqlite3_column_blob(query, 0), sizeof(s->hash_key));
    else if (code == SQLITE_OK)
        code = SQLITE_CORRUPT;
    sqlite3_finalize(query);
    return code;
}

struct deliveries *deliveries_open(struct db *db, char why[DB_WHY_SIZE])
{
    struct deliveries *s = calloc(1, sizeof(*s));
    int code;

    if (s == NULL || (s->dedup_index = dedup_index_new()) == NULL) {
        snprintf(why, DB_WHY_SIZE, "%s: out of memory", db_path(db));
        deliveries_close(&s);
        return NULL;
    }
    s->db = db;
    if ((code = deliveries_prepare(s)) != SQLITE_OK ||
        (code = deliveries_load_keys(s)) != SQLITE_OK ||
        (code = deliveries_load_newest(s)) != SQLITE_OK ||
        (code = deliveries_load_hash_key(s)) != SQLITE_OK) {
        db_error_text(db, code, why);
        deliveries_close(&s);
    }
    return s;
}

void deliveries_close(struct deliveries **deliveries)
{
    struct deliveries *s = *deliveries;

    if (s == NULL)
        return;
    dedup_index_free(&s->dedup_index);
    free(s->batch);
    free(s);
    *deliveries = NULL;
}

static uint64_t deliveries_hash_bytes(const struct deliveries *s, const void *bytes, size_t len)
{
    uint64_t hash;

    crypto_shorthash((unsigned char *)&hash, bytes, len, s->hash_key);
    return hash;
}

static uint64_t deliveries_hash_of(const struct deliveries *s, const struct delivery_row *e)
{
    const hookline_bytes *key = e->id.base != NULL ? &e->id : &e->mac;
    const uint64_t parts[] = {
        deliveries_hash_bytes(s, e->source.base, e->source.len),
        deliveries_hash_bytes(s, key->base, key->len),
        key == &e->id,
    };

    return deliveries_hash_bytes(s, parts, sizeof(parts));
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

/* SQLITE_ROW if the delivery `seq` has the same key, 0 if not. */
static int deliveries_is_duplicate(void *data, int64_t seq)
{
    const struct deliveries_search *search = data;
    const struct delivery_row *e = search->row;
    sqlite3_stmt *look = search->deliveries->look;
    int code;

    sqlite3_bind_int64(look, 1, seq);
    code = sqlite3_step(look);
    if (code == SQLITE_ROW &&
        !(deliveries_column_is(look, 0, e->source) && deliveries_column_is(look, 1, e->id) &&
          (e->id.base != NULL || deliveries_column_is(look, 2, e->mac))))
        code = SQLITE_DONE;
    sqlite3_reset(look);
    if (code == SQLITE_ROW)
        search->row->seq = seq;
    return code == SQLITE_DONE ? 0 : code;
}

static void deliveries_bind_text(sqlite3_stmt *statement, int column, hookline_bytes text)
{
    sqlite3_bind_text(statement, column, text.base, (int)text.len, SQLITE_STATIC);
}

static void deliveries_bind_blob(sqlite3_stmt *statement, int column, hookline_bytes bytes)
{
    sqlite3_bind_blob64(statement, column, bytes.base, bytes.len, SQLITE_STATIC);
}

static int deliveries_insert(struct deliveries *s, const struct delivery_row *e)
{
    sqlite3_stmt *to = s->insert;
    const hookline_bytes none = {0}, empty = {"", 0};

    sqlite3_bind_int64(to, 1, e->seq);
    deliveries_bind_text(to, 2, e->source);
    deliveries_bind_text(to, 3, e->scheme);
    deliveries_bind_text(to, 4, e->id);
    deliveries_bind_blob(to, 5, e->id.base == NULL ? e->mac : none);
    deliveries_bind_text(to, 6, e->type);
    sqlite3_bind_int(to, 7, e->test);
    sqlite3_bind_int(to, 8, e->fresh);
    sqlite3_bind_int(to, 9, e->secret);
    sqlite3_bind_int64(to, 10, e->received_us);
    if (e->signed_at >= 0)
        sqlite3_bind_int64(to, 11, e->signed_at);
    else
        sqlite3_bind_null(to, 11);
    deliveries_bind_text(to, 12, e->remote);
    deliveries_bind_text(to, 13, e->headers.base == NULL ? empty : e->headers);
    deliveries_bind_blob(to, 14, e->body.base == NULL ? empty : e->body);
    return db_run(to);
}

static bool deliveries_reserve_batch(struct deliveries *s)
{
    size_t count = (size_t)(s->newest - s->committed);
    uint64_t *bigger;

    if (count < s->batch_size)
        return true;
    bigger = realloc(s->batch, (count + 1) * 2 * HASH_SIZE);
    if (bigger == NULL)
        return false;
    s->batch = bigger;
    s->batch_size = (count + 1) * 2;
    return true;
}

int deliveries_put(struct deliveries *s, struct delivery_row *row, enum deliveries_outcome *verdict)
{
    struct deliveries_search search = {s, row};
    uint64_t hash = deliveries_hash_of(s, row);
    int code = dedup_index_find(s->dedup_index, hash, deliveries_is_duplicate, &search);

    *verdict = DELIVERIES_DUPLICATE;
    if (code != 0)
        return code == SQLITE_ROW ? SQLITE_OK : code;
    *verdict = DELIVERIES_STORED;
    if (!deliveries_reserve_batch(s))
        return SQLITE_NOMEM;
    row->seq = s->newest + 1;
    if ((code = deliveries_insert(s, row)) != SQLITE_OK)
        return code;
    if (!dedup_index_add(s->dedup_index, hash, row->seq))
        return SQLITE_NOMEM;
    s->batch[s->newest - s->committed] = hash;
    s->newest = row->seq;
    return SQLITE_OK;
}

static int deliveries_write_keys(struct deliveries *s, int64_t first, const void *hashes,
                                 size_t bytes)
{
    sqlite3_bind_int64(s->insert_keys, 1, first);
    sqlite3_bind_blob64(s->insert_keys, 2, hashes, bytes, SQLITE_STATIC);
    return db_run(s->insert_keys);
}

int deliveries_before_commit(struct deliveries *s)
{
    size_t count = (size_t)(s->newest - s->committed);

    if (count == 0)
        return SQLITE_OK;
    s->unmerged++;
    return deliveries_write_keys(s, s->committed + 1, s->batch, count * HASH_SIZE);
}

void deliveries_after_transaction(struct deliveries *s, bool committed)
{
    for (; !committed && s->newest > s->committed; s->newest--)
        dedup_index_remove(s->dedup_index, s->batch[s->newest - s->committed - 1], s->newest);
    s->committed = s->newest;
}

int64_t deliveries_newest(const struct deliveries *s)
{
    return s->committed;
}

size_t deliveries_key_count(const struct deliveries *s)
{
    return dedup_index_count(s->dedup_index);
}

static int deliveries_delete_keys(struct deliveries *s, int64_t first, int64_t last)
{
    sqlite3_bind_int64(s->delete_keys, 1, first);
    sqlite3_bind_int64(s->delete_keys, 2, last);
    return db_run(s->delete_keys);
}

/* A hash that is forgotten though the transaction is rolled back does no harm: its delivery is not
 * in the store. */
int deliveries_forget_keys(struct deliveries *s, int64_t before)
{
    struct deliveries_keys keys;
    int code;

    sqlite3_bind_int64(s->keys, 1, 0);
    code = sqlite3_step(s->keys);
    if (code == SQLITE_ROW) {
        keys = deliveries_read_keys(s->keys);
        if (keys.first + (int64_t)keys.count > before)
            code = SQLITE_DONE;
        for (size_t i = 0; code == SQLITE_ROW && i < keys.count; i++)
            dedup_index_remove(s->dedup_index, deliveries_hash_at(&keys, i),
                               keys.first + (int64_t)i);
    }
    sqlite3_reset(s->keys);
    if (code == SQLITE_ROW &&
        (code = deliveries_delete_keys(s, keys.first, keys.first)) == SQLITE_OK)
        code = SQLITE_ROW;
    return code;
}

/* Rows that follow each other without a gap, from merge_from on. */
struct deliveries_key_run {
    int64_t first, last, end; /* the first_seq of two rows; where the next one begins */
    size_t rows, bytes;
    char hashes[2 * MERGED_BYTES];
};

static void deliveries_gather_keys(struct deliveries *s, struct deliveries_key_run *run)
{
    *run = (struct deliveries_key_run){.first = 0};
    sqlite3_bind_int64(s->keys, 1, s->merge_from);
    while (run->bytes < MERGED_BYTES && sqlite3_step(s->keys) == SQLITE_ROW) {
        struct deliveries_keys keys = deliveries_read_keys(s->keys);
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
    sqlite3_reset(s->keys);
}

int deliveries_merge_keys(struct deliveries *s)
{
    struct deliveries_key_run *run;
    int code = SQLITE_OK;

    if (s->unmerged < MERGE_ROWS)
        return SQLITE_DONE;
    if ((run = malloc(sizeof(*run))) == NULL)
        return SQLITE_NOMEM;
    deliveries_gather_keys(s, run);
    if (run->rows > 1 && (code = deliveries_delete_keys(s, run->first, run->last)) == SQLITE_OK)
        code = deliveries_write_keys(s, run->first, run->hashes, run->bytes);
    if (run->rows == 0) {
        /* Those that were counted have been forgotten since. */
        s->unmerged = 0;
        code = SQLITE_DONE;
    } else if (code == SQLITE_OK) {
        /* The last run is taken up again, when more rows follow it. */
        s->merge_from = s->unmerged > run->rows ? run->end : run->first;
        s->unmerged = s->unmerged > run->rows ? s->unmerged - run->rows : 1;
        code = SQLITE_ROW;
    }
    free(run);
    return code;
}
