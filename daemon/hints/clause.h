/* SPDX-License-Identifier: MIT
 *
 * clause.h - the clauses of a scheme's description, hookline-schemes(7), word by word. Pure. The
 * library says whether the description is sound.
 *
 * Ownership  Words point into the description.
 */
#ifndef DAEMON_HINTS_CLAUSE_H
#define DAEMON_HINTS_CLAUSE_H

#include <hookline.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    CLAUSE_WORDS_MAX = 8,
    DESCRIPTION_SIZE = 1024
};

struct clause {
    hookline_bytes words[CLAUSE_WORDS_MAX]; /* the first one is the keyword */
    size_t count;
};

/* The next clause, and *description behind it. False at the end. */
bool clause_next(const char **description, struct clause *clause);

/* The clause that begins with this word and, unless it is NULL, that second one. If there are
 * several, the last one counts. */
bool clause_find(const char *description, const char *first, const char *second,
                 struct clause *clause);

/* Whether a word is this text; a number behind the last word is never. */
bool clause_word_is(const struct clause *clause, size_t number, const char *text);

/* Copies a word, up to the '|' in a pair of names; "" if there is no such word or no room. */
void clause_copy_word(const struct clause *clause, size_t number, char *out, size_t size);

/* Writes the description with the clause of that keyword left out and `clause` in its place. False
 * if it is too long. */
bool clause_replace(const char *description, const char *keyword, const char *clause,
                    char out[DESCRIPTION_SIZE]);

#endif
