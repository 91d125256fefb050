/* SPDX-License-Identifier: MIT
 *
 * rules.h - what a running daemon can be told anew, all of it at once: its sources with their
 * secrets, its destinations, the administrator's token, and limits.
 *
 * Ownership  Counted: whoever keeps rules holds them, and the last one to release them frees them
 *            and wipes the secrets. So what has begun ends under the rules that it began with.
 * Threads    Immutable once they are posted. rules_hold(), rules_release() and rules_board_post() on
 *            any thread; a reader belongs to one.
 */
#ifndef DAEMON_POLICY_RULES_H
#define DAEMON_POLICY_RULES_H

#include <stdatomic.h>
#include <stdbool.h>

#include "daemon/conf/config.h"

struct destinations;
struct metrics;
struct rules_board;
struct sources;
struct token;

struct rules {
    atomic_uint holders;
    unsigned forwarding; /* of them, those on the forwarder's thread, which counts them */
    struct sources *sources;
    struct destinations *destinations;
    struct token *token; /* the administrator's; NULL: none is configured */
    struct config_limits limits;
    bool log_body; /* write the payload into the log, too */
};

/* Reads the secrets and makes the verifiers; the caller holds it. `file` is where the config was
 * read, or NULL; `why` has CONFIG_WHY_SIZE bytes. `warn` is called for what is allowed but unwise.
 * NULL, and in `why` what is wrong. */
struct rules *rules_open(const struct config *config, const char *file,
                         void (*warn)(const char *text), char *why);

/* Finds the counters of the sources and of their secrets. Before they are posted. False without
 * memory. */
bool rules_count(struct rules *rules, struct metrics *metrics);

/* What the others, which are in force, have taken of a rate that is the same counts for these.
 * Right before they are posted. */
void rules_succeed(struct rules *rules, const struct rules *before);

struct rules *rules_hold(struct rules *rules); /* the same */
void rules_release(struct rules **rules);

/* The same, on the forwarder's thread: it lets go of what nobody else can come to it with. */
struct rules *rules_hold_forwarding(struct rules *rules);
void rules_release_forwarding(struct rules **rules);
bool rules_are_only_forwarding(const struct rules *rules);

/* Where the rules in force hang. NULL without memory. */
struct rules_board *rules_board_new(struct rules *first);
void rules_board_free(struct rules_board **board);
struct rules *rules_board_take(struct rules_board *board); /* those in force, held */
void rules_board_post(struct rules_board *board, struct rules *rules);

/* Who looks at the board now and then. */
struct rules_reader {
    struct rules_board *board;
    struct rules *rules; /* held */
    unsigned edition;
};

void rules_reader_open(struct rules_reader *reader, struct rules_board *board);
void rules_reader_close(struct rules_reader *reader);

/* True if there were new ones, which have taken the place of the others. Costs next to nothing if
 * there were none. */
bool rules_reader_look(struct rules_reader *reader);

#endif
