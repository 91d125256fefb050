/* SPDX-License-Identifier: MIT
 *
 * The keys of all deliveries are hashed with a key of the store's own, and the hashes are packed
 * into a row for each transaction, so that the index in memory is there again a moment after a
 * start, whatever the deliveries hold.
 */
#include "daemon/store/shelf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "daemon/store/entry.h"
#include "daemon/store/seen.h"

enum {
    HASH_SIZE = sizeof(uint64_t),
    MERGE_ROWS = 256,        /* of `keys` are enough for shelf_merge() to begin */
    MERGED_BYTES = 64 * 1024 /* a row of at least so much stays as it is */
};

struct shelf {
    struct store *store;
    struct seen *seen;
    sqlite3_stmt *insert, *look, *keys, *insert_keys, *delete_keys;
    unsigned char hash_key[crypto_shorthash_KEYBYTES];
    int64_t newest;    /* of this transaction, too */
    int64_t committed; /* the newest one before it */
    uint64_t *batch;   /* the hashes of this transaction, from committed + 1 on */
    size_t batch_size;
    int64_t merge_from; /* the rows of `keys` before this are merged */
    size_t unmerged;    /* about so many rows are not */
};

static int prepare_all(struct shelf *s)
{
    const struct store_statement all[] = {
        {&s->insert, "INSERT INTO delivery VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"},
        {&s->look, "SELECT source, id, mac FROM delivery WHERE seq = ?"},
        {&s->keys, "SELECT first_seq, hashes FROM keys WHERE first_seq >= ? ORDER BY first_seq"},
        {&s->insert_keys, "INSERT INTO keys VALUES (?, ?)"},
        {&s->delete_keys, "DELETE FROM keys WHERE first_seq BETWEEN ? AND ?"},
        {NULL, NULL},
    };

    return store_prepare_all(s->store, all);
}

/* A row of `keys`. */
struct keys {
    int64_t first;
    size_t count;
    const char *hashes;
};

static struct keys read_keys(sqlite3_stmt *row)
{
    return (struct keys){
        .first = sqlite3_column_int64(row, 0),
        .hashes = sqlite3_column_blob(row, 1),
        .count = (size_t)sqlite3_column_bytes(row, 1) / HASH_SIZE,
    };
}

static uint64_t hash_at(const struct keys *keys, size_t i)
{
    uint64_t hash;

    memcpy(&hash, keys->hashes + i * HASH_SIZE, HASH_SIZE);
    return hash;
}

static int reserve_keys(struct shelf *s)
{
    sqlite3_stmt *query = NULL;
    int64_t bytes = 0;
    int code = store_prepare(s->store, &query, "SELECT sum(length(hashes)) FROM keys");

    if (code == SQLITE_OK)
        code = store_number(query, &bytes, 0);
    sqlite3_finalize(query);
    if (code == SQLITE_OK && !seen_reserve(s->seen, (size_t)bytes / HASH_SIZE))
        code = SQLITE_NOMEM;
    return code;
}

static bool add_keys(struct shelf *s, const struct keys *keys)
{
    const size_t ahead = 16;

    for (size_t i = 0; i < keys->count; i++) {
        if (i + ahead < keys->count)
            seen_expect(s->seen, hash_at(keys, i + ahead));
        if (!seen_add(s->seen, hash_at(keys, i), keys->first + (int64_t)i))
            return false;
    }
    return true;
}

static int load_keys(struct shelf *s)
{
    int code = reserve_keys(s);

    if (code != SQLITE_OK)
        return code;
    sqlite3_bind_int64(s->keys, 1, 0);
    while ((code = sqlite3_step(s->keys)) == SQLITE_ROW) {
        struct keys keys = read_keys(s->keys);

        if (!add_keys(s, &keys)) {
            code = SQLITE_NOMEM;
            break;
        }
        s->newest = keys.first + (int64_t)keys.count - 1;
        s->unmerged++;
    }
    sqlite3_reset(s->keys);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int load_newest(struct shelf *s)
{
    sqlite3_stmt *query = NULL;
    int64_t newest = 0;
    int code = store_prepare(s->store, &query,
                             "SELECT max((SELECT coalesce(max(seq), 0) FROM delivery),"
                             " (SELECT coalesce(max(cursor), 0) FROM destination))");

    if (code == SQLITE_OK)
        code = store_number(query, &newest, 0);
    sqlite3_finalize(query);
    if (newest > s->newest)
        s->newest = newest;
    s->committed = s->newest;
    return code;
}

static int load_hash_key(struct shelf *s)
{
    sqlite3_stmt *query = NULL;
    int code = store_prepare(s->store, &query, "SELECT value FROM meta WHERE name = 'hash_key'");

    if (code == SQLITE_OK && sqlite3_step(query) == SQLITE_ROW &&
        sqlite3_column_bytes(query, 0) == sizeof(s->hash_key))
        memcpy(s->hash_key, sqlite3_column_blob(query, 0), sizeof(s->hash_key));
    else if (code == SQLITE_OK)
        code = SQLITE_CORRUPT;
    sqlite3_finalize(query);
    return code;
}

struct shelf *shelf_open(struct store *writer, char why[STORE_WHY_SIZE])
{
    struct shelf *s = calloc(1, sizeof(*s));
    int code;

    if (s == NULL || (s->seen = seen_new()) == NULL) {
        snprintf(why, STORE_WHY_SIZE, "%s: out of memory", store_path(writer));
        shelf_close(&s);
        return NULL;
    }
    s->store = writer;
    if ((code = prepare_all(s)) != SQLITE_OK || (code = load_keys(s)) != SQLITE_OK ||
        (code = load_newest(s)) != SQLITE_OK || (code = load_hash_key(s)) != SQLITE_OK) {
        store_why(writer, code, why);
        shelf_close(&s);
    }
    return s;
}

void shelf_close(struct shelf **shelf)
{
    struct shelf *s = *shelf;

    if (s == NULL)
        return;
    seen_free(&s->seen);
    free(s->batch);
    free(s);
    *shelf = NULL;
}

static uint64_t hash_bytes(const struct shelf *s, const void *bytes, size_t len)
{
    uint64_t hash;

    crypto_shorthash((unsigned char *)&hash, bytes, len, s->hash_key);
    return hash;
}

static uint64_t hash_of(const struct shelf *s, const struct entry *e)
{
    const hookline_bytes *key = e->id.base != NULL ? &e->id : &e->mac;
    const uint64_t parts[] = {
        hash_bytes(s, e->source.base, e->source.len),
        hash_bytes(s, key->base, key->len),
        key == &e->id,
    };

    return hash_bytes(s, parts, sizeof(parts));
}

static bool column_is(sqlite3_stmt *row, int column, hookline_bytes bytes)
{
    const void *value = sqlite3_column_blob(row, column);

    if (bytes.base == NULL)
        return sqlite3_column_type(row, column) == SQLITE_NULL;
    return (size_t)sqlite3_column_bytes(row, column) == bytes.len &&
           (bytes.len == 0 || memcmp(value, bytes.base, bytes.len) == 0);
}

struct search {
    struct shelf *shelf;
    struct entry *entry;
};

/* SQLITE_ROW if the delivery `seq` has the same key, 0 if not. */
static int is_same(void *data, int64_t seq)
{
    const struct search *search = data;
    const struct entry *e = search->entry;
    sqlite3_stmt *look = search->shelf->look;
    int code;

    sqlite3_bind_int64(look, 1, seq);
    code = sqlite3_step(look);
    if (code == SQLITE_ROW && !(column_is(look, 0, e->source) && column_is(look, 1, e->id) &&
                                (e->id.base != NULL || column_is(look, 2, e->mac))))
        code = SQLITE_DONE;
    sqlite3_reset(look);
    if (code == SQLITE_ROW)
        search->entry->seq = seq;
    return code == SQLITE_DONE ? 0 : code;
}

static void bind_text(sqlite3_stmt *statement, int column, hookline_bytes text)
{
    sqlite3_bind_text(statement, column, text.base, (int)text.len, SQLITE_STATIC);
}

static void bind_blob(sqlite3_stmt *statement, int column, hookline_bytes bytes)
{
    sqlite3_bind_blob64(statement, column, bytes.base, bytes.len, SQLITE_STATIC);
}

static int insert(struct shelf *s, const struct entry *e)
{
    sqlite3_stmt *to = s->insert;
    const hookline_bytes none = {0}, empty = {"", 0};

    sqlite3_bind_int64(to, 1, e->seq);
    bind_text(to, 2, e->source);
    bind_text(to, 3, e->scheme);
    bind_text(to, 4, e->id);
    bind_blob(to, 5, e->id.base == NULL ? e->mac : none);
    bind_text(to, 6, e->type);
    sqlite3_bind_int(to, 7, e->test);
    sqlite3_bind_int(to, 8, e->fresh);
    sqlite3_bind_int(to, 9, e->secret);
    sqlite3_bind_int64(to, 10, e->received_us);
    if (e->signed_at >= 0)
        sqlite3_bind_int64(to, 11, e->signed_at);
    else
        sqlite3_bind_null(to, 11);
    bind_text(to, 12, e->remote);
    bind_text(to, 13, e->headers.base == NULL ? empty : e->headers);
    bind_blob(to, 14, e->body.base == NULL ? empty : e->body);
    return store_run(to);
}

static bool reserve_batch(struct shelf *s)
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

int shelf_put(struct shelf *s, struct entry *entry, enum shelf_verdict *verdict)
{
    struct search search = {s, entry};
    uint64_t hash = hash_of(s, entry);
    int code = seen_find(s->seen, hash, is_same, &search);

    *verdict = SHELF_DUPLICATE;
    if (code != 0)
        return code == SQLITE_ROW ? SQLITE_OK : code;
    *verdict = SHELF_STORED;
    if (!reserve_batch(s))
        return SQLITE_NOMEM;
    entry->seq = s->newest + 1;
    if ((code = insert(s, entry)) != SQLITE_OK)
        return code;
    if (!seen_add(s->seen, hash, entry->seq))
        return SQLITE_NOMEM;
    s->batch[s->newest - s->committed] = hash;
    s->newest = entry->seq;
    return SQLITE_OK;
}

static int write_keys(struct shelf *s, int64_t first, const void *hashes, size_t bytes)
{
    sqlite3_bind_int64(s->insert_keys, 1, first);
    sqlite3_bind_blob64(s->insert_keys, 2, hashes, bytes, SQLITE_STATIC);
    return store_run(s->insert_keys);
}

int shelf_before_commit(struct shelf *s)
{
    size_t count = (size_t)(s->newest - s->committed);

    if (count == 0)
        return SQLITE_OK;
    s->unmerged++;
    return write_keys(s, s->committed + 1, s->batch, count * HASH_SIZE);
}

void shelf_after(struct shelf *s, bool committed)
{
    for (; !committed && s->newest > s->committed; s->newest--)
        seen_remove(s->seen, s->batch[s->newest - s->committed - 1], s->newest);
    s->committed = s->newest;
}

int64_t shelf_newest(const struct shelf *s)
{
    return s->committed;
}

size_t shelf_count(const struct shelf *s)
{
    return seen_count(s->seen);
}

static int delete_keys(struct shelf *s, int64_t first, int64_t last)
{
    sqlite3_bind_int64(s->delete_keys, 1, first);
    sqlite3_bind_int64(s->delete_keys, 2, last);
    return store_run(s->delete_keys);
}

/* A hash that is forgotten though the transaction is rolled back does no harm: its delivery is not
 * in the store. */
int shelf_forget(struct shelf *s, int64_t before)
{
    struct keys keys;
    int code;

    sqlite3_bind_int64(s->keys, 1, 0);
    code = sqlite3_step(s->keys);
    if (code == SQLITE_ROW) {
        keys = read_keys(s->keys);
        if (keys.first + (int64_t)keys.count > before)
            code = SQLITE_DONE;
        for (size_t i = 0; code == SQLITE_ROW && i < keys.count; i++)
            seen_remove(s->seen, hash_at(&keys, i), keys.first + (int64_t)i);
    }
    sqlite3_reset(s->keys);
    if (code == SQLITE_ROW && (code = delete_keys(s, keys.first, keys.first)) == SQLITE_OK)
        code = SQLITE_ROW;
    return code;
}

/* Rows that follow each other without a gap, from merge_from on. */
struct run {
    int64_t first, last, end; /* the first_seq of two rows; where the next one begins */
    size_t rows, bytes;
    char hashes[2 * MERGED_BYTES];
};

static void gather(struct shelf *s, struct run *run)
{
    *run = (struct run){.first = 0};
    sqlite3_bind_int64(s->keys, 1, s->merge_from);
    while (run->bytes < MERGED_BYTES && sqlite3_step(s->keys) == SQLITE_ROW) {
        struct keys keys = read_keys(s->keys);
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

int shelf_merge(struct shelf *s)
{
    struct run *run;
    int code = SQLITE_OK;

    if (s->unmerged < MERGE_ROWS)
        return SQLITE_DONE;
    if ((run = malloc(sizeof(*run))) == NULL)
        return SQLITE_NOMEM;
    gather(s, run);
    if (run->rows > 1 && (code = delete_keys(s, run->first, run->last)) == SQLITE_OK)
        code = write_keys(s, run->first, run->hashes, run->bytes);
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
