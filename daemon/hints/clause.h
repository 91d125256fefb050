/* SPDX-License-Identifier: MIT
 *
 * clause.h - splits a scheme's description, hookline-schemes(7), into clauses and words. Pure. Only
 * the library validates descriptions.
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
    hookline_bytes words[CLAUSE_WORDS_MAX]; /* words[0] is the keyword */
    size_t count;
};

/* Reads the next clause and moves *description behind it. Returns false at the end. */
bool clause_next(const char **description, struct clause *clause);

/* Finds the last clause that begins with `first` and, unless it is NULL, `second`. */
bool clause_find(const char *description, const char *first, const char *second,
                 struct clause *clause);

/* Returns true if the clause has a word of this number and it equals `text`. */
bool clause_word_is(const struct clause *clause, size_t number, const char *text);

/* Copies a word, up to the '|' in a pair of names; "" if the word is missing or too long. */
void clause_copy_word(const struct clause *clause, size_t number, char *out, size_t size);

/* Writes the description with `clause` in place of the clauses of that keyword. Returns false if the
 * result is too long. */
bool clause_replace(const char *description, const char *keyword, const char *clause,
                    char out[DESCRIPTION_SIZE]);

#endif
