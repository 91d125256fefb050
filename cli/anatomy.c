/* SPDX-License-Identifier: MIT */
#include "cli/anatomy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hookline.h>

#include "cli/clause.h"

/* "A|B" as "A or B". */
static void copy_names(char out[ANATOMY_NAME_SIZE], const struct clause *clause, size_t word)
{
    const hookline_bytes *w = &clause->words[word];
    const char *bar;

    out[0] = '\0';
    if (word >= clause->count)
        return;
    bar = memchr(w->base, '|', w->len);
    if (bar == NULL)
        snprintf(out, ANATOMY_NAME_SIZE, "%.*s", (int)w->len, w->base);
    else
        snprintf(out, ANATOMY_NAME_SIZE, "%.*s or %.*s", (int)(bar - w->base), w->base,
                 (int)(w->base + w->len - bar - 1), bar + 1);
}

/* The words of the language that this clause may hold at that place; NULL if it is none of them. */
static const char *word_among(const struct clause *clause, size_t word, const char *const *known)
{
    while (*known != NULL && !clause_says(clause, word, *known))
        known++;
    return *known;
}

static void read_form(struct anatomy *a, const char *description)
{
    struct clause list, prefix, timestamp;
    char key[64], text[64] = "", time_key[64], item[160];
    bool whole = false;

    clause_find(description, "list", NULL, &list);
    if (clause_find(description, "prefix", NULL, &prefix)) {
        whole = clause_says(&prefix, 1, "whole");
        clause_copy(&prefix, whole ? 2 : 1, text, sizeof(text));
    }
    if (clause_says(&list, 1, "tagged")) {
        clause_copy(&list, 2, key, sizeof(key));
        snprintf(a->form, sizeof(a->form), "%s,%sSIGNATURE, more of them behind blanks", key, text);
    } else if (clause_says(&list, 1, "pairs")) {
        char separator = clause_says(&list, 2, "comma") ? ',' : ';';

        clause_copy(&list, 3, key, sizeof(key));
        snprintf(item, sizeof(item), "%s=%sSIGNATURE", key, text);
        if (clause_find(description, "timestamp", "pair", &timestamp)) {
            clause_copy(&timestamp, 2, time_key, sizeof(time_key));
            snprintf(a->form, sizeof(a->form), "%s=TIME%c%s", time_key, separator, item);
        } else {
            snprintf(a->form, sizeof(a->form), "%s", item);
        }
    } else if (clause_says(&list, 1, "bare")) {
        snprintf(a->form, sizeof(a->form), "%sSIGNATURE%s", text,
                 whole ? ",SIGNATURE, ..." : ", more of them behind commas");
    } else {
        snprintf(a->form, sizeof(a->form), "%sSIGNATURE", text);
    }
}

static void read_time(struct anatomy *a, const char *description)
{
    static const char *const units[] = {"seconds", "milliseconds", "rfc3339", "any", NULL};
    struct clause timestamp;
    char name[ANATOMY_NAME_SIZE];

    if (!clause_find(description, "timestamp", NULL, &timestamp))
        return;
    copy_names(name, &timestamp, 2);
    a->time_unit = word_among(&timestamp, 3, units);
    a->time_optional = clause_says(&timestamp, 4, "optional");
    snprintf(a->time, sizeof(a->time), "%s %.200s",
             clause_says(&timestamp, 1, "header") ? "header"
             : clause_says(&timestamp, 1, "pair") ? "item"
                                                  : "the body's member",
             name);
}

static void read_id(struct anatomy *a, const char *description)
{
    struct clause id;
    char name[ANATOMY_NAME_SIZE], equals[64] = "";

    if (!clause_find(description, "id", NULL, &id))
        return;
    copy_names(name, &id, 2);
    clause_copy(&id, 4, equals, sizeof(equals));
    snprintf(a->id, sizeof(a->id), "%s %.120s%s%s",
             clause_says(&id, 1, "header") ? "header" : "the body's member", name,
             equals[0] == '\0' ? "" : ", which equals the body's ", equals);
}

static void read_secret(struct anatomy *a, const char *description)
{
    static const char *const kinds[] = {"text", "base64", "hex", NULL};
    struct clause secret;

    a->secret = "text";
    if (!clause_find(description, "secret", NULL, &secret))
        return;
    a->secret = word_among(&secret, 1, kinds);
    clause_copy(&secret, 2, a->secret_prefix, sizeof(a->secret_prefix));
}

static void read_rest(struct anatomy *a, const char *description)
{
    struct clause clause;
    char number[16];
    size_t used = 0;

    if (clause_find(description, "content", NULL, &clause))
        clause_copy(&clause, 1, a->content, sizeof(a->content));
    a->tolerance_s = HOOKLINE_TOLERANCE_DEFAULT;
    if (clause_find(description, "tolerance", NULL, &clause)) {
        clause_copy(&clause, 1, number, sizeof(number));
        a->tolerance_s = strtol(number, NULL, 10);
    }
    clause_find(description, "event", "test", &clause);
    for (size_t i = 2; i < clause.count && used < sizeof(a->tests); i++)
        used +=
            (size_t)snprintf(a->tests + used, sizeof(a->tests) - used, "%s%.*s", i == 2 ? "" : ", ",
                             (int)clause.words[i].len, clause.words[i].base);
}

void anatomy_read(struct anatomy *anatomy, const char *description)
{
    static const char *const encodings[] = {"hex", "base64", "base64url", NULL};
    struct clause signature, encoding;

    *anatomy = (struct anatomy){.tolerance_s = 0};
    clause_find(description, "signature", NULL, &signature);
    copy_names(anatomy->signature, &signature, 1);
    copy_names(anatomy->also, &signature, 3);
    clause_find(description, "encoding", NULL, &encoding);
    anatomy->encoding = word_among(&encoding, 1, encodings);
    read_form(anatomy, description);
    read_time(anatomy, description);
    read_id(anatomy, description);
    read_secret(anatomy, description);
    read_rest(anatomy, description);
}
