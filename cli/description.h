/* SPDX-License-Identifier: MIT
 *
 * description.h - parses the description of a signature scheme, hookline-schemes(7), into clauses
 * and into a summary for people. The library checks that a description is valid. Pure.
 *
 * Ownership  A clause points into its description; a summary holds copies.
 */
#ifndef CLI_DESCRIPTION_H
#define CLI_DESCRIPTION_H

#include <hookline.h>
#include <stdbool.h>
#include <stddef.h>

/* ---- clauses */

enum {
    DESCRIPTION_WORDS_MAX = 8,
    DESCRIPTION_SIZE = 1024
};

struct description_clause {
    hookline_bytes words[DESCRIPTION_WORDS_MAX]; /* words[0] is the keyword */
    size_t count;
};

/* Reads the next clause and moves *description past it. Returns false at the end. */
bool description_next(const char **description, struct description_clause *clause);

/* Finds the last clause whose first word is `first` and, unless NULL, whose second is `second`. */
bool description_find(const char *description, const char *first, const char *second,
                      struct description_clause *clause);

/* Returns true if word `number`, from 0, is `text`; false past the last word. */
bool clause_word_is(const struct description_clause *clause, size_t number, const char *text);

/* Copies a word, of two names "A|B" the first; "" if the word is absent or too long. */
void clause_copy_word(const struct description_clause *clause, size_t number, char *out,
                      size_t size);

/* Returns true if the signed content has this part, such as "{url}". */
bool description_signs(const char *description, const char *part);

/* Writes `clause`, then the description without its clauses of `keyword`. Returns false if the
 * result is too long. */
bool description_replace(const char *description, const char *keyword, const char *clause,
                         char out[DESCRIPTION_SIZE]);

/* ---- summary */

enum {
    DESCRIPTION_NAME_SIZE = 256,
    DESCRIPTION_TEXT_SIZE = 1100
};

/* "" or NULL where the scheme has no such clause. */
struct description_summary {
    char signature[DESCRIPTION_NAME_SIZE]; /* header name, or "A or B" */
    char also[DESCRIPTION_NAME_SIZE];      /* second signature header */
    char form[DESCRIPTION_NAME_SIZE];      /* of the header's value: "t=TIME,v1=SIGNATURE" */
    const char *encoding;                  /* "hex", ... */
    char time[DESCRIPTION_NAME_SIZE];      /* place: "header X-Foil-Timestamp", ... */
    const char *time_unit;                 /* "seconds", ... */
    bool time_optional;
    char id[DESCRIPTION_NAME_SIZE]; /* place, as for `time` */
    char content[DESCRIPTION_TEXT_SIZE];
    const char *secret; /* encoding: "text", "base64" or "hex" */
    char secret_prefix[DESCRIPTION_NAME_SIZE];
    long tolerance_s;
    char tests[DESCRIPTION_NAME_SIZE]; /* types of test events, comma-separated */
};

void description_summarize(struct description_summary *summary, const char *description);

#endif
