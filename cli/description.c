/* SPDX-License-Identifier: MIT */
#include "cli/description.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool description_signs(const char *description, const char *part)
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

/* ---- summary */

/* "A|B" as "A or B". */
static void description_copy_names(char out[DESCRIPTION_NAME_SIZE], const struct clause *clause,
                                   size_t word)
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
static const char *description_word_among(const struct clause *clause, size_t word,
                                          const char *const *known)
{
    while (*known != NULL && !clause_word_is(clause, word, *known))
        known++;
    return *known;
}

static void description_read_form(struct description_summary *s, const char *description)
{
    struct clause list, prefix, timestamp;
    char key[64], text[64] = "", time_key[64], item[160];
    bool whole = false;

    clause_find(description, "list", NULL, &list);
    if (clause_find(description, "prefix", NULL, &prefix)) {
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
        if (clause_find(description, "timestamp", "pair", &timestamp)) {
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
    struct clause timestamp;
    char name[DESCRIPTION_NAME_SIZE];

    if (!clause_find(description, "timestamp", NULL, &timestamp))
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
    struct clause id;
    char name[DESCRIPTION_NAME_SIZE], equals[64] = "";

    if (!clause_find(description, "id", NULL, &id))
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
    struct clause secret;

    s->secret = "text";
    if (!clause_find(description, "secret", NULL, &secret))
        return;
    s->secret = description_word_among(&secret, 1, kinds);
    clause_copy_word(&secret, 2, s->secret_prefix, sizeof(s->secret_prefix));
}

static void description_read_rest(struct description_summary *s, const char *description)
{
    struct clause clause;
    char number[16];
    size_t used = 0;

    if (clause_find(description, "content", NULL, &clause))
        clause_copy_word(&clause, 1, s->content, sizeof(s->content));
    clause_find(description, "delivery", NULL, &clause);
    description_copy_names(s->delivery, &clause, 1);
    s->tolerance_s = HOOKLINE_TOLERANCE_DEFAULT;
    if (clause_find(description, "tolerance", NULL, &clause)) {
        clause_copy_word(&clause, 1, number, sizeof(number));
        s->tolerance_s = strtol(number, NULL, 10);
    }
    clause_find(description, "event", "test", &clause);
    for (size_t i = 2; i < clause.count && used < sizeof(s->tests); i++)
        used +=
            (size_t)snprintf(s->tests + used, sizeof(s->tests) - used, "%s%.*s", i == 2 ? "" : ", ",
                             (int)clause.words[i].len, clause.words[i].base);
}

void description_summarize(struct description_summary *summary, const char *description)
{
    static const char *const encodings[] = {"hex", "base64", "base64url", NULL};
    struct clause signature, encoding;

    *summary = (struct description_summary){.tolerance_s = 0};
    clause_find(description, "signature", NULL, &signature);
    description_copy_names(summary->signature, &signature, 1);
    description_copy_names(summary->also, &signature, 3);
    clause_find(description, "encoding", NULL, &encoding);
    summary->encoding = description_word_among(&encoding, 1, encodings);
    description_read_form(summary, description);
    description_read_time(summary, description);
    description_read_id(summary, description);
    description_read_secret(summary, description);
    description_read_rest(summary, description);
}
