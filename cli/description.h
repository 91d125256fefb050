/* SPDX-License-Identifier: MIT
 *
 * description.h - a scheme's description taken apart, in words that a person knows. Pure.
 *
 * Ownership  The texts are the anatomy's own.
 */
#ifndef CLI_DESCRIPTION_H
#define CLI_DESCRIPTION_H

#include <hookline.h>
#include <stdbool.h>
#include <stddef.h>

/* ---- the clauses of a scheme's description, hookline-schemes(7), word by word. Pure.
 * Whether the description is sound is for the library to say.
 *
 * Ownership  Words point into the description. */

enum {
    DESCRIPTION_WORDS_MAX = 8,
    DESCRIPTION_SIZE = 1024
};

struct description_clause {
    hookline_bytes words[DESCRIPTION_WORDS_MAX]; /* the first one is the keyword */
    size_t count;
};

/* The next clause, and *description behind it. False at the end. */
bool description_next(const char **description, struct description_clause *clause);

/* The clause that begins with this word and, unless it is NULL, that second one. If there are
 * several, the last one counts. */
bool description_find(const char *description, const char *first, const char *second,
                      struct description_clause *clause);

/* Whether a word is this text; a number behind the last word is never. */
bool clause_word_is(const struct description_clause *clause, size_t number, const char *text);

/* Copies a word, up to the '|' in a pair of names; "" if there is no such word or no room. */
void clause_copy_word(const struct description_clause *clause, size_t number, char *out,
                      size_t size);

/* Whether the content that is signed has this part, such as "{url}". */
bool description_signs(const char *description, const char *part);

/* Writes the description with the clause of that keyword left out and `clause` in its place. False
 * if it is too long. */
bool description_replace(const char *description, const char *keyword, const char *clause,
                         char out[DESCRIPTION_SIZE]);

enum {
    DESCRIPTION_NAME_SIZE = 256,
    DESCRIPTION_TEXT_SIZE = 1100
};

/* "" where the scheme has no such thing. */
struct description_summary {
    char signature[DESCRIPTION_NAME_SIZE]; /* the header's name, or "A or B" */
    char also[DESCRIPTION_NAME_SIZE];      /* a second header of the kind */
    char form[DESCRIPTION_NAME_SIZE];      /* its value: "t=TIME,v1=SIGNATURE" */
    const char *encoding;                  /* "hex", ... */
    char time[DESCRIPTION_NAME_SIZE];      /* where it is: "header X-Foil-Timestamp", ... */
    const char *time_unit;                 /* "seconds", ... */
    bool time_optional;
    char id[DESCRIPTION_NAME_SIZE]; /* likewise */
    char content[DESCRIPTION_TEXT_SIZE];
    const char *secret; /* how it becomes the key */
    char secret_prefix[DESCRIPTION_NAME_SIZE];
    long tolerance_s;
    char tests[DESCRIPTION_NAME_SIZE]; /* types of test events, with commas */
};

void description_summarize(struct description_summary *summary, const char *description);

#endif
