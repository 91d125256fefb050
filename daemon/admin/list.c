/* SPDX-License-Identifier: MIT */
#include "daemon/admin/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/admin/query.h"
#include "daemon/admin/show.h"
#include "daemon/admin/status.h"
#include "daemon/base/clock.h"
#include "daemon/base/json.h"
#include "daemon/store/damage.h"

/* Limits of one request, because the admin thread serves one request at a time. */
enum {
    ROWS_MAX = 20000,
    WORK_US = 200000,
    ROWS_BETWEEN_CHECKS = 64, /* of the clock */
};

/* Extends a search by time, because the clock may have been set back by up to this much. */
static const int64_t list_slack_us = 3600 * (int64_t)1000000;

struct delivery_list {
    struct db *db;
    struct status *status;
    sqlite3_stmt *begin, *end, *older, *one, *damaged, *from, *unsent, *unsent_of, *body;
    struct show *show;
};

static int list_prepare(struct delivery_list *l)
{
    const struct db_statement all[] = {
        {&l->begin, "BEGIN"},
        {&l->end, "COMMIT"},
        {&l->older,
         "SELECT " SHOW_COLUMNS " FROM delivery WHERE seq<=?1 ORDER BY seq DESC LIMIT 1"},
        {&l->one, "SELECT " SHOW_COLUMNS " FROM delivery WHERE seq=?1"},
        {&l->damaged, "SELECT max(seq) FROM damaged WHERE seq<=?1"},
        {&l->from, "SELECT seq, received_us FROM delivery WHERE seq>=?1 ORDER BY seq LIMIT 1"},
        {&l->unsent, "SELECT max(seq) FROM unsent WHERE seq<=?1"},
        {&l->unsent_of, "SELECT max(seq) FROM unsent WHERE destination=?2 AND seq<=?1"},
        {&l->body, "SELECT body FROM delivery WHERE seq=?1"},
        {NULL, NULL},
    };

    return db_prepare_all(l->db, all);
}

struct delivery_list *list_open(const char *path, struct policy_slot *policy_slot,
                                char why[DB_WHY_SIZE])
{
    struct delivery_list *l = calloc(1, sizeof(*l));
    int code;

    if (l == NULL || (l->db = db_open(path, DB_READ, why)) == NULL) {
        if (l == NULL)
            snprintf(why, DB_WHY_SIZE, "%s: out of memory", path);
        free(l);
        return NULL;
    }
    if ((code = list_prepare(l)) != SQLITE_OK)
        db_error_text(l->db, code, why);
    if (code != SQLITE_OK || (l->status = status_open(l->db, policy_slot, why)) == NULL ||
        (l->show = show_open(l->db, l->status, why)) == NULL)
        list_close(&l);
    return l;
}

void list_close(struct delivery_list **list)
{
    struct delivery_list *l = *list;

    if (l == NULL)
        return;
    show_close(&l->show);
    status_close(&l->status);
    db_close(&l->db);
    free(l);
    *list = NULL;
}

struct db *list_store(struct delivery_list *l)
{
    return l->db;
}

struct status *list_status(struct delivery_list *l)
{
    return l->status;
}

/* Begins a read transaction, so that a request sees one snapshot. */
static int list_begin(struct delivery_list *l)
{
    int code = db_run(l->begin);

    return code == SQLITE_OK ? status_refresh(l->status) : code;
}

static int list_end(struct delivery_list *l, int code)
{
    int ended = db_run(l->end);

    /* SQLite refuses to commit after a damaged page was read. */
    if (damage_is(ended))
        ended = SQLITE_OK;
    return code == SQLITE_OK ? ended : code;
}

/* ---- pages of deliveries */

struct list_page {
    const struct query *query;
    struct json_writer *line; /* output as JSON ... */
    int64_t *seqs;            /* ... or as numbers, if not NULL */
    size_t limit;
    size_t destination; /* index; status_count(): all destinations */
    int64_t at;         /* next seq to check, or the next older one */
    size_t rows, found;
    int64_t until_us; /* time limit */
    bool ended;       /* no older delivery is left */
};

static bool list_text_matches(const char *wanted, hookline_bytes text)
{
    return wanted[0] == '\0' || (text.base != NULL && strlen(wanted) == text.len &&
                                 memcmp(wanted, text.base, text.len) == 0);
}

/* Matches a type; "gate.*" matches every type that begins with "gate.". */
static bool list_type_matches(const char *wanted, hookline_bytes type)
{
    size_t len = strlen(wanted);

    if (len == 0 || wanted[len - 1] != '*')
        return list_text_matches(wanted, type);
    return type.base != NULL && type.len >= len - 1 && memcmp(wanted, type.base, len - 1) == 0;
}

/* Returns true if no destination takes or took the delivery. */
static bool list_is_unwanted(const struct delivery_list *l, const struct status_result *results)
{
    for (size_t i = 0; i < status_count(l->status); i++)
        if (results[i].state != QUERY_ANY && results[i].state != QUERY_PASSED_OVER)
            return false;
    return true;
}

/* Without a destination, "done" and "passed_over" mean at all destinations, any other state at one
 * of them. */
static bool list_state_matches(const struct delivery_list *l, const struct list_page *p,
                               const struct status_result *results)
{
    size_t first = p->destination, last = p->destination + 1;
    enum query_state wanted = p->query->state;
    bool all = true, any = false;

    if (wanted == QUERY_ANY)
        return true;
    if (first == status_count(l->status)) {
        last = first;
        first = 0;
    }
    for (size_t i = first; i < last; i++) {
        any |= results[i].state == wanted;
        all &= results[i].state == wanted || results[i].state == QUERY_ANY ||
               results[i].state == QUERY_PASSED_OVER;
    }
    if (wanted == QUERY_PASSED_OVER && p->query->destination[0] == '\0')
        return last > 0 && list_is_unwanted(l, results);
    return any || (wanted == QUERY_DONE && p->query->destination[0] == '\0' && all);
}

/* `row` is NULL if the delivery is damaged. */
static void list_take_row(const struct delivery_list *l, struct list_page *p, int64_t seq,
                          const struct show_row *row, const struct status_result *results)
{
    if (p->seqs != NULL) {
        p->seqs[p->found++] = seq;
        return;
    }
    json_open_element(p->line);
    if (row == NULL)
        show_write_damaged(p->line, seq);
    else
        show_write_row(p->line, row);
    json_open_object(p->line, "destinations");
    for (size_t i = 0; i < status_count(l->status); i++)
        if (results[i].state != QUERY_ANY)
            json_string(p->line, status_destination_name(l->status, i),
                        query_state_name(results[i].state));
    json_close_object(p->line);
    json_close_object(p->line);
    p->found++;
}

/* Skips to the next row of `unsent`: only its deliveries are retrying or parked. */
static int list_skip_to_unsent(struct delivery_list *l, struct list_page *p)
{
    bool one = p->query->destination[0] != '\0';
    sqlite3_stmt *s = one ? l->unsent_of : l->unsent;
    int code;

    if (p->query->state != QUERY_RETRYING && p->query->state != QUERY_PARKED)
        return SQLITE_OK;
    sqlite3_bind_int64(s, 1, p->at);
    if (one)
        sqlite3_bind_int64(s, 2, status_destination_number(l->status, p->destination));
    code = db_query_number(s, &p->at, 0);
    p->ended = p->at == 0;
    return code;
}

/* A damaged delivery matches every time, source, id and type, because none is readable. */
static int list_check_damaged(struct delivery_list *l, struct list_page *p, int64_t seq)
{
    const struct status_result *results;
    int code = status_of(l->status, seq, (hookline_bytes){0}, (hookline_bytes){0}, &results);

    if (code == SQLITE_OK && list_state_matches(l, p, results))
        list_take_row(l, p, seq, NULL, results);
    return code;
}

/* Tells if no older delivery can match. The time must be that of a readable delivery. */
static bool list_row_is_too_old(struct delivery_list *l, const struct list_page *p,
                                const struct show_row *row)
{
    return row->received_us < p->query->since_us - list_slack_us &&
           show_check(l->show, row->seq) == SQLITE_ROW;
}

static int list_check_row(struct delivery_list *l, struct list_page *p, sqlite3_stmt *statement)
{
    const struct query *q = p->query;
    const struct status_result *results;
    struct show_row row;
    int code;

    show_read_row(statement, &row);
    if (row.damaged) {
        code = list_check_damaged(l, p, row.seq);
        p->at = row.seq - 1;
        p->ended = p->at == 0;
        return code;
    }
    p->at = row.seq - 1;
    p->ended = p->at == 0 || list_row_is_too_old(l, p, &row);
    if (row.received_us < q->since_us || row.received_us >= q->until_us ||
        !list_text_matches(q->source, row.source) || !list_text_matches(q->id, row.id) ||
        !list_type_matches(q->type, row.type))
        return SQLITE_OK;
    code = status_of(l->status, row.seq, row.source, row.type, &results);
    if (code == SQLITE_OK && list_state_matches(l, p, results))
        list_take_row(l, p, row.seq, &row, results);
    return code;
}

/* Returns the newest seq up to this one that is listed as damaged, or 0. */
static int64_t list_newest_damaged(struct delivery_list *l, int64_t seq)
{
    int64_t found;

    sqlite3_bind_int64(l->damaged, 1, seq);
    return db_query_number(l->damaged, &found, 0) == SQLITE_OK ? found : 0;
}

/* Looks at the seq p->at alone, because a damaged page ends a search for the next older one. */
static int list_step_over(struct delivery_list *l, struct list_page *p)
{
    int64_t newest;
    int code = damage_newest(l->db, &newest), found;

    if (code != SQLITE_OK)
        return code;
    if (p->at > newest)
        p->at = newest;
    sqlite3_bind_int64(l->one, 1, p->at);
    found = sqlite3_step(l->one);
    if (found == SQLITE_ROW) {
        code = list_check_row(l, p, l->one);
    } else {
        if (damage_is(found) || list_newest_damaged(l, p->at) == p->at)
            code = list_check_damaged(l, p, p->at);
        else if (found != SQLITE_DONE)
            code = found;
        p->ended = --p->at <= 0;
    }
    sqlite3_reset(l->one);
    return code;
}

/* A damaged page may claim any seq or hide one, so a gap is believed if the next delivery has its sum
 * and none between is listed as damaged. Else p->at is the seq to look at. */
static bool list_believes_row(struct delivery_list *l, struct list_page *p)
{
    int64_t seq = sqlite3_column_int64(l->older, 0), damaged;

    if (seq == p->at)
        return true;
    damaged = list_newest_damaged(l, p->at);
    if (damaged > seq)
        p->at = damaged;
    return damaged <= seq && seq < p->at && show_check(l->show, seq) == SQLITE_ROW;
}

static int list_check_next(struct delivery_list *l, struct list_page *p)
{
    int code = list_skip_to_unsent(l, p), found;

    if (code != SQLITE_OK || p->ended)
        return code;
    sqlite3_bind_int64(l->older, 1, p->at);
    found = sqlite3_step(l->older);
    if (found == SQLITE_ROW && !list_believes_row(l, p))
        found = SQLITE_CORRUPT;
    if (found == SQLITE_ROW)
        code = list_check_row(l, p, l->older);
    else if (found == SQLITE_DONE)
        p->ended = true;
    sqlite3_reset(l->older);
    if (found == SQLITE_ROW || found == SQLITE_DONE)
        return code;
    return damage_is(found) ? list_step_over(l, p) : found;
}

static bool list_page_is_over(struct list_page *p)
{
    return p->ended || p->found == p->limit || p->rows == ROWS_MAX ||
           (p->rows % ROWS_BETWEEN_CHECKS == 0 && clock_mono_us() >= p->until_us);
}

/* Finds the first seq received after `us`, or INT64_MAX, by binary search: times grow with seqs,
 * apart from clock changes (list_slack_us). */
static int list_find_time(struct delivery_list *l, int64_t us, int64_t *seq)
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

static int list_page_begin(struct delivery_list *l, struct list_page *p)
{
    const struct query *q = p->query;
    int64_t seq;
    int code;

    p->destination = status_find(l->status, q->destination);
    if (q->destination[0] != '\0' && p->destination == status_count(l->status))
        return SQLITE_NOTFOUND;
    p->at = q->before - 1;
    p->ended = p->at == 0;
    if (q->until_us >= INT64_MAX - list_slack_us)
        return SQLITE_OK;
    code = list_find_time(l, q->until_us + list_slack_us, &seq);
    if (damage_is(code))
        return SQLITE_OK; /* the search only takes longer */
    if (code == SQLITE_OK && seq < q->before) {
        p->at = seq - 1;
        p->ended = p->at == 0;
    }
    return code;
}

static int list_page_fill(struct delivery_list *l, struct list_page *p)
{
    int code = list_page_begin(l, p);

    if (code != SQLITE_OK)
        return code;
    do {
        code = p->ended ? SQLITE_OK : list_check_next(l, p);
        p->rows++;
    } while (code == SQLITE_OK && !list_page_is_over(p));
    return code;
}

static int list_page_write(struct delivery_list *l, struct list_page *p)
{
    int code;

    json_begin(p->line);
    json_open_array(p->line, "deliveries");
    code = list_page_fill(l, p);
    json_close_array(p->line);
    if (p->ended)
        json_string(p->line, "next", NULL);
    else
        json_number(p->line, "next", p->at + 1);
    json_end(p->line);
    return code;
}

int list_write(struct delivery_list *l, const struct query *query, struct json_writer *line)
{
    struct list_page page = {
        .query = query,
        .line = line,
        .limit = query->limit,
        .until_us = clock_mono_us() + WORK_US,
    };
    int code = list_begin(l);

    return list_end(l, code == SQLITE_OK ? list_page_write(l, &page) : code);
}

int list_find(struct delivery_list *l, const struct query *query, int64_t seqs[], size_t max,
              size_t *count, int64_t *next)
{
    struct list_page page = {
        .query = query,
        .seqs = seqs,
        .limit = max,
        .until_us = clock_mono_us() + WORK_US,
    };
    int code = list_begin(l);

    code = list_end(l, code == SQLITE_OK ? list_page_fill(l, &page) : code);
    *count = page.found;
    *next = page.ended ? 0 : page.at + 1;
    return code;
}

/* ---- one delivery */

int list_write_one(struct delivery_list *l, int64_t seq, struct json_writer *line)
{
    int code = list_begin(l);

    return list_end(l, code == SQLITE_OK ? show_write(l->show, seq, line) : code);
}

int list_body(struct delivery_list *l, int64_t seq, char **body, size_t *len)
{
    int code = show_check(l->show, seq);

    if (code != SQLITE_ROW)
        return code == SQLITE_DONE ? SQLITE_NOTFOUND : code;
    sqlite3_bind_int64(l->body, 1, seq);
    if (sqlite3_step(l->body) == SQLITE_ROW) {
        hookline_bytes bytes = db_column_bytes(l->body, 0);

        *len = bytes.len;
        *body = malloc(bytes.len + 1);
        code = *body == NULL ? SQLITE_NOMEM : SQLITE_OK;
        if (*body != NULL && bytes.len > 0)
            memcpy(*body, bytes.base, bytes.len);
        sqlite3_reset(l->body);
        return code;
    }
    code = sqlite3_reset(l->body);
    return code == SQLITE_OK ? SQLITE_NOTFOUND : code;
}

void list_destinations(struct delivery_list *l, char *text, size_t size)
{
    int len = 0;

    text[0] = '\0';
    if (list_begin(l) == SQLITE_OK)
        for (size_t i = 0; i < status_count(l->status) && (size_t)len < size; i++)
            len += snprintf(text + len, size - (size_t)len, "%s%s", i == 0 ? "" : ", ",
                            status_destination_name(l->status, i));
    list_end(l, SQLITE_OK);
}
