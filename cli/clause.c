/* SPDX-License-Identifier: MIT */
#include "cli/clause.h"

#include <stdio.h>
#include <string.h>

static const char description_blanks[] = " \t\r";

/* strchr() would find the NUL, too. */
static bool description_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool description_is_clause_end(char c)
{
    return c == '\0' || c == ';' || c == '\n';
}

bool description_next(const char **description, struct description_clause *clause)
{
    const char *at = *description;

    *clause = (struct description_clause){.count = 0};
    while (clause->count == 0 && *at != '\0') {
        for (at += strspn(at, description_blanks); !description_is_clause_end(*at);
             at += strspn(at, description_blanks)) {
            const char *word = at;

            while (!description_is_clause_end(*at) && !description_is_blank(*at))
                at++;
            if (clause->count < DESCRIPTION_WORDS_MAX)
                clause->words[clause->count++] = (hookline_bytes){word, (size_t)(at - word)};
        }
        if (*at != '\0')
            at++;
    }
    *description = at;
    return clause->count > 0;
}

bool clause_word_is(const struct description_clause *clause, size_t number, const char *text)
{
    return number < clause->count && clause->words[number].len == strlen(text) &&
           memcmp(clause->words[number].base, text, clause->words[number].len) == 0;
}

bool description_find(const char *description, const char *first, const char *second,
                      struct description_clause *clause)
{
    struct description_clause next;
    bool found = false;

    *clause = (struct description_clause){.count = 0};
    while (description_next(&description, &next)) {
        if (clause_word_is(&next, 0, first) &&
            (second == NULL || clause_word_is(&next, 1, second))) {
            *clause = next;
            found = true;
        }
    }
    return found;
}

void clause_copy_word(const struct description_clause *clause, size_t number, char *out,
                      size_t size)
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

bool description_signs(const char *description, const char *part)
{
    struct description_clause content;
    size_t len = strlen(part);

    if (!description_find(description, "content", NULL, &content) || content.count < 2)
        return false;
    for (size_t i = 0; i + len <= content.words[1].len; i++)
        if (memcmp(content.words[1].base + i, part, len) == 0)
            return true;
    return false;
}

bool description_replace(const char *description, const char *keyword, const char *clause,
                         char out[DESCRIPTION_SIZE])
{
    struct description_clause next;
    size_t used = (size_t)snprintf(out, DESCRIPTION_SIZE, "%s", clause);

    while (used < DESCRIPTION_SIZE && description_next(&description, &next)) {
        const hookline_bytes *last = &next.words[next.count - 1];

        if (!clause_word_is(&next, 0, keyword))
            used += (size_t)snprintf(out + used, DESCRIPTION_SIZE - used, ";%.*s",
                                     (int)(last->base + last->len - next.words[0].base),
                                     next.words[0].base);
    }
    return used < DESCRIPTION_SIZE;
}
