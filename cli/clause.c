/* SPDX-License-Identifier: MIT */
#include "cli/clause.h"

#include <stdio.h>
#include <string.h>

static const char blanks[] = " \t\r";

/* strchr() would find the NUL, too. */
static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool is_end(char c)
{
    return c == '\0' || c == ';' || c == '\n';
}

bool clause_next(const char **description, struct clause *clause)
{
    const char *at = *description;

    *clause = (struct clause){.count = 0};
    while (clause->count == 0 && *at != '\0') {
        for (at += strspn(at, blanks); !is_end(*at); at += strspn(at, blanks)) {
            const char *word = at;

            while (!is_end(*at) && !is_blank(*at))
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

bool clause_says(const struct clause *clause, size_t number, const char *text)
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
        if (clause_says(&next, 0, first) && (second == NULL || clause_says(&next, 1, second))) {
            *clause = next;
            found = true;
        }
    }
    return found;
}

void clause_copy(const struct clause *clause, size_t number, char *out, size_t size)
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

bool clause_signs(const char *description, const char *part)
{
    struct clause content;
    size_t len = strlen(part);

    if (!clause_find(description, "content", NULL, &content) || content.count < 2)
        return false;
    for (size_t i = 0; i + len <= content.words[1].len; i++)
        if (memcmp(content.words[1].base + i, part, len) == 0)
            return true;
    return false;
}

bool clause_replace(const char *description, const char *keyword, const char *clause,
                    char out[CLAUSE_DESCRIPTION_SIZE])
{
    struct clause next;
    size_t used = (size_t)snprintf(out, CLAUSE_DESCRIPTION_SIZE, "%s", clause);

    while (used < CLAUSE_DESCRIPTION_SIZE && clause_next(&description, &next)) {
        const hookline_bytes *last = &next.words[next.count - 1];

        if (!clause_says(&next, 0, keyword))
            used += (size_t)snprintf(out + used, CLAUSE_DESCRIPTION_SIZE - used, ";%.*s",
                                     (int)(last->base + last->len - next.words[0].base),
                                     next.words[0].base);
    }
    return used < CLAUSE_DESCRIPTION_SIZE;
}
