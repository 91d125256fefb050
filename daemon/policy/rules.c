/* SPDX-License-Identifier: MIT */
#include "daemon/policy/rules.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/policy/destination.h"
#include "daemon/policy/source.h"
#include "daemon/conf/token.h"

struct rules_board {
    atomic_uint edition;   /* changed under the mutex, read without it */
    pthread_mutex_t mutex; /* a leaf; guards what follows */
    struct rules *current;
};

static bool open_token(struct rules *r, const struct config *config, const char *file, char *why)
{
    size_t len;

    if (config->admin.token == NULL)
        return true;
    len = config_locate(file, "admin/token", why, CONFIG_WHY_SIZE);
    len += (size_t)snprintf(why + len, CONFIG_WHY_SIZE - len, "admin: ");
    if (len >= CONFIG_WHY_SIZE)
        return false;
    r->token = token_open(config->admin.token, why + len, CONFIG_WHY_SIZE - len);
    return r->token != NULL;
}

struct rules *rules_open(const struct config *config, const char *file,
                         void (*warn)(const char *text), char *why)
{
    struct rules *r = calloc(1, sizeof(*r));

    if (r == NULL) {
        snprintf(why, CONFIG_WHY_SIZE, "out of memory");
        return NULL;
    }
    r->holders = 1;
    r->limits = config->limits;
    r->log_body = config->log.body;
    if (open_token(r, config, file, why))
        r->sources = sources_open(config, file, warn, why);
    if (r->sources != NULL)
        r->destinations = destinations_open(config, file, warn, why);
    if (r->destinations == NULL)
        rules_release(&r);
    return r;
}

bool rules_count(struct rules *r, struct metrics *metrics)
{
    return sources_enter(r->sources, metrics);
}

void rules_succeed(struct rules *r, const struct rules *before)
{
    sources_succeed(r->sources, before->sources);
}

struct rules *rules_hold(struct rules *r)
{
    atomic_fetch_add_explicit(&r->holders, 1, memory_order_relaxed);
    return r;
}

void rules_release(struct rules **rules)
{
    struct rules *r = *rules;

    *rules = NULL;
    if (r == NULL || atomic_fetch_sub(&r->holders, 1) > 1)
        return;
    destinations_free(&r->destinations);
    sources_free(&r->sources);
    token_free(&r->token);
    free(r);
}

struct rules *rules_hold_forwarding(struct rules *r)
{
    r->forwarding++;
    return rules_hold(r);
}

void rules_release_forwarding(struct rules **rules)
{
    if (*rules != NULL)
        (*rules)->forwarding--;
    rules_release(rules);
}

/* Who holds none can get none that is not on the board. */
bool rules_are_only_forwarding(const struct rules *r)
{
    return atomic_load(&r->holders) == r->forwarding;
}

/* ---- the board */

struct rules_board *rules_board_new(struct rules *first)
{
    struct rules_board *board = calloc(1, sizeof(*board));

    if (board == NULL)
        return NULL;
    pthread_mutex_init(&board->mutex, NULL);
    board->current = rules_hold(first);
    return board;
}

void rules_board_free(struct rules_board **board)
{
    if (*board == NULL)
        return;
    rules_release(&(*board)->current);
    pthread_mutex_destroy(&(*board)->mutex);
    free(*board);
    *board = NULL;
}

void rules_board_post(struct rules_board *board, struct rules *rules)
{
    struct rules *old;

    rules_hold(rules);
    pthread_mutex_lock(&board->mutex);
    old = board->current;
    board->current = rules;
    atomic_fetch_add(&board->edition, 1);
    pthread_mutex_unlock(&board->mutex);
    rules_release(&old);
}

struct rules *rules_board_take(struct rules_board *board)
{
    struct rules *rules;

    pthread_mutex_lock(&board->mutex);
    rules = rules_hold(board->current);
    pthread_mutex_unlock(&board->mutex);
    return rules;
}

static void take(struct rules_reader *reader)
{
    pthread_mutex_lock(&reader->board->mutex);
    reader->rules = rules_hold(reader->board->current);
    reader->edition = atomic_load(&reader->board->edition);
    pthread_mutex_unlock(&reader->board->mutex);
}

void rules_reader_open(struct rules_reader *reader, struct rules_board *board)
{
    reader->board = board;
    take(reader);
}

void rules_reader_close(struct rules_reader *reader)
{
    rules_release(&reader->rules);
}

bool rules_reader_look(struct rules_reader *reader)
{
    struct rules *old = reader->rules;

    if (atomic_load_explicit(&reader->board->edition, memory_order_acquire) == reader->edition)
        return false;
    take(reader);
    rules_release(&old);
    return true;
}
