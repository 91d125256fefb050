/* SPDX-License-Identifier: MIT
 *
 * verdict.h - verdicts on a delivery, and their words in log lines, metrics and options. Pure.
 *
 * Ownership  Words are constants.
 * Threads    Any.
 * Errors     VERDICT_NONE for an unknown word.
 */
#ifndef DAEMON_BASE_VERDICT_H
#define DAEMON_BASE_VERDICT_H

#include <stddef.h>

/* A row per verdict: name, word, and the journal's priority and MESSAGE_ID of its lines. The
 * receiver gives the first four, the forwarder the others. */
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
    VERDICT_RECEIVED_LAST = VERDICT_FAILED, /* last verdict of the receiver */
};

/* The bit of a verdict in a set; 0 for VERDICT_NONE. */
#define VERDICT_BIT(verdict) ((verdict) == VERDICT_NONE ? 0 : 1u << (verdict))

#define VERDICT_ROOM(name, word, priority, message_id) +sizeof(word ", ")

enum {
    VERDICT_WORDS_SIZE = 2 VERDICT_ROWS(VERDICT_ROOM) /* " or " is longer than ", " */
};

extern const char *const verdict_words[VERDICT_END];

/* Returns "stored", "duplicate", ...; "" for VERDICT_NONE. */
static inline const char *verdict_word(enum verdict verdict)
{
    return verdict_words[verdict];
}

/* Returns the verdict of a word, which may be NULL. */
enum verdict verdict_read(const char *word);

/* Writes "stored, duplicate, ... or parked", for messages. */
void verdict_list_words(char out[VERDICT_WORDS_SIZE]);

#endif
