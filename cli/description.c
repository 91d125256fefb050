/* SPDX-License-Identifier: MIT */
#include "cli/description.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char description_blanks[] = " \t\r";

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

/* ---- summary */

/* "A|B" as "A or B". */
static void description_copy_names(char out[DESCRIPTION_NAME_SIZE],
                                   const struct description_clause *clause, size_t word)
{
    const hookline_bytes *w = &clause->words[word];
    const char *bar;

    out[0] = '\0';
    if (word >= clause->count)
        return;
    bar = memchr(w->base, '|', w->len);
    if (bar == NULL)
        snprintf(out, DESCRIPTION_NAME_SIZE, "%.*s", (int)w->len, w->base);
    else
        snprintf(out, DESCRIPTION_NAME_SIZE, "%.*s or %.*s", (int)(bar - w->base), w->base,
                 (int)(w->base + w->len - bar - 1), bar + 1);
}

/* Returns the entry of `known` that equals the word; NULL if none does. */
static const char *description_word_among(const struct description_clause *clause, size_t word,
                                          const char *const *known)
{
    while (*known != NULL && !clause_word_is(clause, word, *known))
        known++;
    return *known;
}

static void description_read_form(struct description_summary *s, const char *description)
{
    struct description_clause list, prefix, timestamp;
    char key[64], text[64] = "", time_key[64], item[160];
    bool whole = false;

    description_find(description, "list", NULL, &list);
    if (description_find(description, "prefix", NULL, &prefix)) {
        whole = clause_word_is(&prefix, 1, "whole");
        clause_copy_word(&prefix, whole ? 2 : 1, text, sizeof(text));
    }
    if (clause_word_is(&list, 1, "tagged")) {
        clause_copy_word(&list, 2, key, sizeof(key));
        snprintf(s->form, sizeof(s->form), "%s,%sSIGNATURE; several are separated by blanks", key,
                 text);
    } else if (clause_word_is(&list, 1, "pairs")) {
        char separator = clause_word_is(&list, 2, "comma") ? ',' : ';';

        clause_copy_word(&list, 3, key, sizeof(key));
        snprintf(item, sizeof(item), "%s=%sSIGNATURE", key, text);
        if (description_find(description, "timestamp", "pair", &timestamp)) {
            clause_copy_word(&timestamp, 2, time_key, sizeof(time_key));
            snprintf(s->form, sizeof(s->form), "%s=TIME%c%s", time_key, separator, item);
        } else {
            snprintf(s->form, sizeof(s->form), "%s", item);
        }
    } else if (clause_word_is(&list, 1, "bare")) {
        snprintf(s->form, sizeof(s->form), "%sSIGNATURE%s", text,
                 whole ? ",SIGNATURE, ..." : "; several are separated by commas");
    } else {
        snprintf(s->form, sizeof(s->form), "%sSIGNATURE", text);
    }
}

static void description_read_time(struct description_summary *s, const char *description)
{
    static const char *const units[] = {"seconds", "milliseconds", "rfc3339", "any", NULL};
    struct description_clause timestamp;
    char name[DESCRIPTION_NAME_SIZE];

    if (!description_find(description, "timestamp", NULL, &timestamp))
        return;
    description_copy_names(name, &timestamp, 2);
    s->time_unit = description_word_among(&timestamp, 3, units);
    s->time_optional = clause_word_is(&timestamp, 4, "optional");
    snprintf(s->time, sizeof(s->time), "%s %.200s",
             clause_word_is(&timestamp, 1, "header") ? "header"
             : clause_word_is(&timestamp, 1, "pair") ? "item"
                                                     : "body member",
             name);
}

static void description_read_id(struct description_summary *s, const char *description)
{
    struct description_clause id;
    char name[DESCRIPTION_NAME_SIZE], equals[64] = "";

    if (!description_find(description, "id", NULL, &id))
        return;
    description_copy_names(name, &id, 2);
    clause_copy_word(&id, 4, equals, sizeof(equals));
    snprintf(s->id, sizeof(s->id), "%s %.120s%s%s",
             clause_word_is(&id, 1, "header") ? "header" : "body member", name,
             equals[0] == '\0' ? "" : ", equal to the body's ", equals);
}

static void description_read_secret(struct description_summary *s, const char *description)
{
    static const char *const kinds[] = {"text", "base64", "hex", NULL};
    struct description_clause secret;

    s->secret = "text";
    if (!description_find(description, "secret", NULL, &secret))
        return;
    s->secret = description_word_among(&secret, 1, kinds);
    clause_copy_word(&secret, 2, s->secret_prefix, sizeof(s->secret_prefix));
}

static void description_read_rest(struct description_summary *s, const char *description)
{
    struct description_clause clause;
    char number[16];
    size_t used = 0;

    if (description_find(description, "content", NULL, &clause))
        clause_copy_word(&clause, 1, s->content, sizeof(s->content));
    s->tolerance_s = HOOKLINE_TOLERANCE_DEFAULT;
    if (description_find(description, "tolerance", NULL, &clause)) {
        clause_copy_word(&clause, 1, number, sizeof(number));
        s->tolerance_s = strtol(number, NULL, 10);
    }
    description_find(description, "event", "test", &clause);
    for (size_t i = 2; i < clause.count && used < sizeof(s->tests); i++)
        used +=
            (size_t)snprintf(s->tests + used, sizeof(s->tests) - used, "%s%.*s", i == 2 ? "" : ", ",
                             (int)clause.words[i].len, clause.words[i].base);
}

void description_summarize(struct description_summary *summary, const char *description)
{
    static const char *const encodings[] = {"hex", "base64", "base64url", NULL};
    struct description_clause signature, encoding;

    *summary = (struct description_summary){.tolerance_s = 0};
    description_find(description, "signature", NULL, &signature);
    description_copy_names(summary->signature, &signature, 1);
    description_copy_names(summary->also, &signature, 3);
    description_find(description, "encoding", NULL, &encoding);
    summary->encoding = description_word_among(&encoding, 1, encodings);
    description_read_form(summary, description);
    description_read_time(summary, description);
    description_read_id(summary, description);
    description_read_secret(summary, description);
    description_read_rest(summary, description);
}
