/* SPDX-License-Identifier: MIT */
#include "daemon/admin/listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/admin/detail.h"
#include "daemon/base/json_line.h"
#include "daemon/admin/query.h"
#include "daemon/admin/standing.h"

/* How much is done for one request: whoever asks holds up the others of the admin's thread. */
enum {
    ROWS_MAX = 20000,
    WORK_US = 200000,
    ROWS_BETWEEN_LOOKS = 64, /* at the clock */
};

/* What the clock may have been set back by, for those who ask for a range of time. */
static const int64_t slack_us = 3600 * (int64_t)1000000;

struct listing {
    struct store *store;
    struct standing *standing;
    sqlite3_stmt *begin, *end, *older, *from, *unsent, *unsent_of, *body;
    struct detail *detail;
};

static int prepare_all(struct listing *l)
{
    const struct store_statement all[] = {
        {&l->begin, "BEGIN"},
        {&l->end, "COMMIT"},
        {&l->older,
         "SELECT " DETAIL_COLUMNS " FROM delivery WHERE seq<=?1 ORDER BY seq DESC LIMIT 1"},
        {&l->from, "SELECT seq, received_us FROM delivery WHERE seq>=?1 ORDER BY seq LIMIT 1"},
        {&l->unsent, "SELECT max(seq) FROM unsent WHERE seq<=?1"},
        {&l->unsent_of, "SELECT max(seq) FROM unsent WHERE destination=?2 AND seq<=?1"},
        {&l->body, "SELECT body FROM delivery WHERE seq=?1"},
        {NULL, NULL},
    };

    return store_prepare_all(l->store, all);
}

struct listing *listing_open(const char *path, struct rules_board *board, char why[STORE_WHY_SIZE])
{
    struct listing *l = calloc(1, sizeof(*l));
    int code;

    if (l == NULL || (l->store = store_open(path, STORE_READ, why)) == NULL) {
        if (l == NULL)
            snprintf(why, STORE_WHY_SIZE, "%s: out of memory", path);
        free(l);
        return NULL;
    }
    if ((code = prepare_all(l)) != SQLITE_OK)
        store_why(l->store, code, why);
    if (code != SQLITE_OK || (l->standing = standing_open(l->store, board, why)) == NULL ||
        (l->detail = detail_open(l->store, l->standing, why)) == NULL)
        listing_close(&l);
    return l;
}

void listing_close(struct listing **listing)
{
    struct listing *l = *listing;

    if (l == NULL)
        return;
    detail_close(&l->detail);
    standing_close(&l->standing);
    store_close(&l->store);
    free(l);
    *listing = NULL;
}

struct store *listing_store(struct listing *l)
{
    return l->store;
}

struct standing *listing_standing(struct listing *l)
{
    return l->standing;
}

/* Everything that a request reads is of one moment. */
static int begin(struct listing *l)
{
    int code = store_run(l->begin);

    return code == SQLITE_OK ? standing_refresh(l->standing) : code;
}

static int end(struct listing *l, int code)
{
    int ended = store_run(l->end);

    return code == SQLITE_OK ? ended : code;
}

/* ---- many */

struct page {
    const struct query *query;
    struct json_line *line; /* to be written, or ... */
    int64_t *seqs;          /* ... this */
    size_t limit;
    size_t destination; /* its index, or how many there are */
    int64_t at;         /* the seq to look at, or the next older one */
    size_t rows, found;
    int64_t until_us; /* of the work */
    bool ended;       /* there is nothing older */
};

static bool text_is(const char *wanted, hookline_bytes text)
{
    return wanted[0] == '\0' || (text.base != NULL && strlen(wanted) == text.len &&
                                 memcmp(wanted, text.base, text.len) == 0);
}

/* "gate.*" is everything that begins with "gate.". */
static bool type_is(const char *wanted, hookline_bytes type)
{
    size_t len = strlen(wanted);

    if (len == 0 || wanted[len - 1] != '*')
        return text_is(wanted, type);
    return type.base != NULL && type.len >= len - 1 && memcmp(wanted, type.base, len - 1) == 0;
}

/* Done is what is done everywhere, the other states are those of any destination. */
static bool state_is(const struct listing *l, const struct page *p,
                     const struct standing_result *results)
{
    size_t first = p->destination, last = p->destination + 1;
    enum query_state wanted = p->query->state;
    bool all = true, any = false;

    if (wanted == QUERY_ANY)
        return true;
    if (first == standing_count(l->standing)) {
        last = first;
        first = 0;
    }
    for (size_t i = first; i < last; i++) {
        any |= results[i].state == wanted;
        all &= results[i].state == wanted || results[i].state == QUERY_ANY;
    }
    return any || (wanted == QUERY_DONE && p->query->destination[0] == '\0' && all);
}

static void take_row(const struct listing *l, struct page *p, const struct detail_row *row,
                     const struct standing_result *results)
{
    if (p->seqs != NULL) {
        p->seqs[p->found++] = row->seq;
        return;
    }
    json_line_open_item(p->line);
    detail_write_row(p->line, row);
    json_line_open(p->line, "destinations");
    for (size_t i = 0; i < standing_count(l->standing); i++)
        if (results[i].state != QUERY_ANY)
            json_line_string(p->line, standing_name(l->standing, i),
                             query_state_name(results[i].state));
    json_line_close(p->line);
    json_line_close(p->line);
    p->found++;
}

/* Skips to what `unsent` has, where only that can be asked for. */
static int skip(struct listing *l, struct page *p)
{
    bool one = p->query->destination[0] != '\0';
    sqlite3_stmt *s = one ? l->unsent_of : l->unsent;
    int code;

    if (p->query->state != QUERY_RETRYING && p->query->state != QUERY_PARKED)
        return SQLITE_OK;
    sqlite3_bind_int64(s, 1, p->at);
    if (one)
        sqlite3_bind_int64(s, 2, standing_number(l->standing, p->destination));
    code = store_number(s, &p->at, 0);
    p->ended = p->at == 0;
    return code;
}

static int look_at_row(struct listing *l, struct page *p)
{
    const struct query *q = p->query;
    const struct standing_result *results;
    struct detail_row row;
    int code;

    detail_read_row(l->older, &row);
    p->at = row.seq - 1;
    p->ended = p->at == 0 || row.received_us < q->since_us - slack_us;
    if (row.received_us < q->since_us || row.received_us >= q->until_us ||
        !text_is(q->source, row.source) || !text_is(q->id, row.id) || !type_is(q->type, row.type))
        return SQLITE_OK;
    code = standing_of(l->standing, row.seq, row.source, row.type, &results);
    if (code == SQLITE_OK && state_is(l, p, results))
        take_row(l, p, &row, results);
    return code;
}

static int look_at_next(struct listing *l, struct page *p)
{
    int code = skip(l, p), reset;

    if (code != SQLITE_OK || p->ended)
        return code;
    sqlite3_bind_int64(l->older, 1, p->at);
    if (sqlite3_step(l->older) == SQLITE_ROW)
        code = look_at_row(l, p);
    else
        p->ended = true;
    reset = sqlite3_reset(l->older);
    return code == SQLITE_OK ? reset : code;
}

static bool is_over(struct page *p)
{
    return p->ended || p->found == p->limit || p->rows == ROWS_MAX ||
           (p->rows % ROWS_BETWEEN_LOOKS == 0 && clock_mono_us() >= p->until_us);
}

/* The first seq that arrived when `us` was over, INT64_MAX if there is none: found by halving,
 * which takes time to go forward. */
static int find_moment(struct listing *l, int64_t us, int64_t *seq)
{
    int64_t low = 1, high = INT64_MAX;
    int code = SQLITE_OK;

    while (code == SQLITE_OK && low < high) {
        int64_t middle = low + (high - low) / 2, found = INT64_MAX, at_us = INT64_MAX;

        sqlite3_bind_int64(l->from, 1, middle);
        if (sqlite3_step(l->from) == SQLITE_ROW) {
            found = sqlite3_column_int64(l->from, 0);
            at_us = sqlite3_column_int64(l->from, 1);
        }
        code = sqlite3_reset(l->from);
        if (at_us > us)
            high = middle;
        else
            low = found + 1;
    }
    *seq = high;
    return code;
}

static int begin_page(struct listing *l, struct page *p)
{
    const struct query *q = p->query;
    int64_t seq;
    int code;

    p->destination = standing_find(l->standing, q->destination);
    if (q->destination[0] != '\0' && p->destination == standing_count(l->standing))
        return SQLITE_NOTFOUND;
    p->at = q->before - 1;
    p->ended = p->at == 0;
    if (q->until_us >= INT64_MAX - slack_us)
        return SQLITE_OK;
    code = find_moment(l, q->until_us + slack_us, &seq);
    if (code == SQLITE_OK && seq < q->before) {
        p->at = seq - 1;
        p->ended = p->at == 0;
    }
    return code;
}

static int fill_page(struct listing *l, struct page *p)
{
    int code = begin_page(l, p);

    if (code != SQLITE_OK)
        return code;
    do {
        code = p->ended ? SQLITE_OK : look_at_next(l, p);
        p->rows++;
    } while (code == SQLITE_OK && !is_over(p));
    return code;
}

static int write_page(struct listing *l, struct page *p)
{
    int code;

    json_line_begin(p->line);
    json_line_open_list(p->line, "deliveries");
    code = fill_page(l, p);
    json_line_close_list(p->line);
    if (p->ended)
        json_line_string(p->line, "next", NULL);
    else
        json_line_number(p->line, "next", p->at + 1);
    json_line_end(p->line);
    return code;
}

int listing_write(struct listing *l, const struct query *query, struct json_line *line)
{
    struct page page = {
        .query = query,
        .line = line,
        .limit = query->limit,
        .until_us = clock_mono_us() + WORK_US,
    };
    int code = begin(l);

    return end(l, code == SQLITE_OK ? write_page(l, &page) : code);
}

int listing_find(struct listing *l, const struct query *query, int64_t seqs[], size_t max,
                 size_t *count, int64_t *next)
{
    struct page page = {
        .query = query,
        .seqs = seqs,
        .limit = max,
        .until_us = clock_mono_us() + WORK_US,
    };
    int code = begin(l);

    code = end(l, code == SQLITE_OK ? fill_page(l, &page) : code);
    *count = page.found;
    *next = page.ended ? 0 : page.at + 1;
    return code;
}

/* ---- one */

int listing_write_one(struct listing *l, int64_t seq, struct json_line *line)
{
    int code = begin(l);

    return end(l, code == SQLITE_OK ? detail_write(l->detail, seq, line) : code);
}

int listing_body(struct listing *l, int64_t seq, char **body, size_t *len)
{
    int code = SQLITE_NOTFOUND;

    sqlite3_bind_int64(l->body, 1, seq);
    if (sqlite3_step(l->body) == SQLITE_ROW) {
        const void *bytes = sqlite3_column_blob(l->body, 0);

        *len = (size_t)sqlite3_column_bytes(l->body, 0);
        *body = malloc(*len + 1);
        code = *body == NULL ? SQLITE_NOMEM : SQLITE_OK;
        if (*body != NULL && *len > 0)
            memcpy(*body, bytes, *len);
        sqlite3_reset(l->body);
        return code;
    }
    code = sqlite3_reset(l->body);
    return code == SQLITE_OK ? SQLITE_NOTFOUND : code;
}

void listing_destinations(struct listing *l, char *text, size_t size)
{
    int len = 0;

    text[0] = '\0';
    if (begin(l) == SQLITE_OK)
        for (size_t i = 0; i < standing_count(l->standing) && (size_t)len < size; i++)
            len += snprintf(text + len, size - (size_t)len, "%s%s", i == 0 ? "" : ", ",
                            standing_name(l->standing, i));
    end(l, SQLITE_OK);
}
