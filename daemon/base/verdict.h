/* SPDX-License-Identifier: MIT
 *
 * verdict.h - the verdicts on a delivery and their words, as lines, metrics and options have them.
 * Pure.
 *
 * Ownership  The words are constants.
 * Threads    Any.
 * Errors     A word that names no verdict is VERDICT_NONE.
 */
#ifndef DAEMON_BASE_VERDICT_H
#define DAEMON_BASE_VERDICT_H

#include <stddef.h>

/* A verdict is a row: its name, its word, and the priority and the MESSAGE_ID that journald.c gives
 * to its lines. The first four are what the receiver says, the others what the forwarder does. */
#define VERDICT_ROWS(ROW)                                                                          \
    ROW(STORED, "stored", LOG_INFO, "7aeb0eacedbe46edb406e4d88d0f16ea")                            \
    ROW(DUPLICATE, "duplicate", LOG_INFO, "5acbda11bead46b996bf873e357c31e1")                      \
    ROW(REFUSED, "refused", LOG_NOTICE, "e5d24676d04c4337b4d94618c16aad9b")                        \
    ROW(FAILED, "failed", LOG_WARNING, "cc205d9ff31849c3a3ed6eb7ec978540")                         \
    ROW(FORWARDED, "forwarded", LOG_INFO, "e6a1b1b40b1545e3a87090ba364afb28")                      \
    ROW(RETRIED, "retried", LOG_NOTICE, "322b6cddec074370b786584fe724c18c")                        \
    ROW(PARKED, "parked", LOG_WARNING, "8b6ad53670504f1a86d08e3e89f5cecc")

#define VERDICT_NAME(name, word, priority, message_id) VERDICT_##name,

enum verdict {
    VERDICT_NONE,
    VERDICT_ROWS(VERDICT_NAME) VERDICT_END,
    VERDICT_RECEIVED_LAST = VERDICT_FAILED, /* of those that the receiver says */
};

/* A set of verdicts has a bit for each, and none for VERDICT_NONE. */
#define VERDICT_BIT(verdict) ((verdict) == VERDICT_NONE ? 0 : 1u << (verdict))

#define VERDICT_ROOM(name, word, priority, message_id) +sizeof(word ", ")

enum {
    VERDICT_WORDS_SIZE = 2 VERDICT_ROWS(VERDICT_ROOM) /* " or " is longer than ", " */
};

/* "stored" and so on; "" for VERDICT_NONE. */
const char *verdict_word(enum verdict verdict);

/* `word` may be NULL. */
enum verdict verdict_read(const char *word);

/* "stored, duplicate, ... or parked", for a message that says what was expected. */
void verdict_list_words(char out[VERDICT_WORDS_SIZE]);

#endif
