/* SPDX-License-Identifier: MIT */
#include "daemon/hints/clause.h"

#include <stdio.h>
#include <string.h>

static const char clause_blanks[] = " \t\r";

/* No strchr(), because it also finds the NUL. */
static bool clause_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool clause_is_end(char c)
{
    return c == '\0' || c == ';' || c == '\n';
}

bool clause_next(const char **description, struct clause *clause)
{
    const char *at = *description;

    *clause = (struct clause){.count = 0};
    while (clause->count == 0 && *at != '\0') {
        for (at += strspn(at, clause_blanks); !clause_is_end(*at);
             at += strspn(at, clause_blanks)) {
            const char *word = at;

            while (!clause_is_end(*at) && !clause_is_blank(*at))
                at++;
            if (clause->count < CLAUSE_WORDS_MAX)
                clause->words[clause->count++] = (hookline_bytes){word, (size_t)(at - word)};
        }
        if (*at != '\0')
            at++;
    }
    *description = at;
    return clause->count > 0;
}

bool clause_word_is(const struct clause *clause, size_t number, const char *text)
{
    return number < clause->count && clause->words[number].len == strlen(text) &&
           memcmp(clause->words[number].base, text, clause->words[number].len) == 0;
}

bool clause_find(const char *description, const char *first, const char *second,
                 struct clause *clause)
{
    struct clause next;
    bool found = false;

    *clause = (struct clause){.count = 0};
    while (clause_next(&description, &next)) {
        if (clause_word_is(&next, 0, first) &&
            (second == NULL || clause_word_is(&next, 1, second))) {
            *clause = next;
            found = true;
        }
    }
    return found;
}

void clause_copy_word(const struct clause *clause, size_t number, char *out, size_t size)
{
    size_t len = 0;

    if (number < clause->count) {
        const hookline_bytes *word = &clause->words[number];
        const char *bar = memchr(word->base, '|', word->len);

        len = bar == NULL ? word->len : (size_t)(bar - word->base);
    }
    if (len >= size)
        len = 0;
    if (len > 0)
        memcpy(out, clause->words[number].base, len);
    out[len] = '\0';
}

bool clause_replace(const char *description, const char *keyword, const char *clause,
                    char out[DESCRIPTION_SIZE])
{
    struct clause next;
    size_t used = (size_t)snprintf(out, DESCRIPTION_SIZE, "%s", clause);

    while (used < DESCRIPTION_SIZE && clause_next(&description, &next)) {
        const hookline_bytes *last = &next.words[next.count - 1];

        if (!clause_word_is(&next, 0, keyword))
            used += (size_t)snprintf(out + used, DESCRIPTION_SIZE - used, ";%.*s",
                                     (int)(last->base + last->len - next.words[0].base),
                                     next.words[0].base);
    }
    return used < DESCRIPTION_SIZE;
}
