/* SPDX-License-Identifier: MIT
 *
 * The parser of scheme descriptions. A clause is a keyword and its words, and ends at ";" or at a
 * new line; hookline-schemes(7) explains each clause.
 *
 *     signature HEADER[|HEADER] [also HEADER]
 *     list      none | tagged TAG | pairs comma|semicolon KEY | bare
 *     prefix    [whole] TEXT
 *     encoding  hex | base64 | base64url
 *     content   TEXT with {timestamp} {id} {body} {method} {url} {header:NAME}
 *     timestamp header NAME[|NAME] UNIT | pair KEY UNIT | body PATH UNIT [optional]
 *               where UNIT is seconds | milliseconds | rfc3339 | any
 *     id        header NAME[|NAME] [equals PATH] | body PATH
 *     delivery  HEADER[|HEADER]
 *     secret    text | base64 [PREFIX] | hex
 *     tolerance SECONDS
 *     payload   json
 *     event     type PATH | created PATH | test TYPE...
 */
#include "scheme.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hookline.h>

enum {
    WORDS_MAX = 8
};

struct scheme_clause {
    char *word[WORDS_MAX + 1]; /* NULL-terminated */
    size_t count;
};

/* Returns NULL, or the expected form of the clause. */
typedef const char *parse_clause(struct scheme *s, const struct scheme_clause *c);

static bool scheme_word_is(const char *word, const char *wanted)
{
    return word != NULL && strcmp(word, wanted) == 0;
}

/* HTTP's token, RFC 9110 section 5.6.2 */
static bool is_header_name(const char *name)
{
    return *name != '\0' && strspn(name, "!#$%&'*+-.^_`~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "abcdefghijklmnopqrstuvwxyz") == strlen(name);
}

/* Reads "new|old". All headers of a scheme have the same number of names. */
static bool parse_names(struct scheme *s, char *word, const char *name[])
{
    unsigned sets = 0;

    for (char *rest = word; rest != NULL; sets++) {
        char *one = strsep(&rest, "|");

        if (sets == SCHEME_SETS_MAX || !is_header_name(one))
            return false;
        name[sets] = one;
    }
    if (s->sets != 0 && s->sets != sets)
        return false;
    s->sets = sets;
    return true;
}

static const char *parse_signature(struct scheme *s, const struct scheme_clause *c)
{
    bool has_also =
        c->count == 4 && scheme_word_is(c->word[2], "also") && is_header_name(c->word[3]);

    s->signature.also = c->word[3];
    return (c->count == 2 || has_also) && parse_names(s, c->word[1], s->signature.name)
               ? NULL
               : "HEADER[|HEADER] [also HEADER]";
}

static const char *parse_list(struct scheme *s, const struct scheme_clause *c)
{
    if (c->count == 2 && scheme_word_is(c->word[1], "none")) {
        s->signature.list = LIST_NONE;
    } else if (c->count == 2 && scheme_word_is(c->word[1], "bare")) {
        s->signature.list = LIST_BARE;
        s->signature.separator = ',';
    } else if (c->count == 3 && scheme_word_is(c->word[1], "tagged")) {
        s->signature.list = LIST_TAGGED;
        s->signature.separator = ' ';
        s->signature.key = c->word[2];
    } else if (c->count == 4 && scheme_word_is(c->word[1], "pairs") &&
               (scheme_word_is(c->word[2], "comma") || scheme_word_is(c->word[2], "semicolon"))) {
        s->signature.list = LIST_PAIRS;
        s->signature.separator = scheme_word_is(c->word[2], "comma") ? ',' : ';';
        s->signature.key = c->word[3];
    } else {
        return "none, tagged TAG, pairs comma|semicolon KEY or bare";
    }
    return NULL;
}

static const char *parse_prefix(struct scheme *s, const struct scheme_clause *c)
{
    s->signature.prefix_whole = c->count == 3 && scheme_word_is(c->word[1], "whole");
    s->signature.prefix = c->word[c->count - 1];
    return c->count == 2 || s->signature.prefix_whole ? NULL : "[whole] TEXT";
}

static bool parse_encoding_name(const char *word, enum encoding *encoding)
{
    static const char *const names[] = {
        [ENCODING_TEXT] = "text",
        [ENCODING_HEX] = "hex",
        [ENCODING_BASE64] = "base64",
        [ENCODING_BASE64URL] = "base64url",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (scheme_word_is(word, names[i])) {
            *encoding = (enum encoding)i;
            return true;
        }
    }
    return false;
}

static const char *parse_encoding(struct scheme *s, const struct scheme_clause *c)
{
    return c->count == 2 && parse_encoding_name(c->word[1], &s->signature.encoding) &&
                   s->signature.encoding != ENCODING_TEXT
               ? NULL
               : "hex, base64 or base64url";
}

/* Reads the name of a placeholder; the caller has removed the braces. */
static bool parse_placeholder(struct part *part, char *name)
{
    static const struct {
        const char *name;
        enum part_kind kind;
    } known[] = {
        {"timestamp", PART_TIMESTAMP}, {"id", PART_ID},   {"body", PART_BODY},
        {"method", PART_METHOD},       {"url", PART_URL},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (scheme_word_is(name, known[i].name)) {
            *part = (struct part){.kind = known[i].kind};
            return true;
        }
    }
    if (strncmp(name, "header:", 7) != 0 || !is_header_name(name + 7))
        return false;
    *part = (struct part){.kind = PART_HEADER, .text = name + 7};
    return true;
}

static const char *parse_content(struct scheme *s, const struct scheme_clause *c)
{
    const char *expected = "TEXT with {timestamp} {id} {body} {method} {url} {header:NAME}";

    if (c->count != 2)
        return expected;
    for (char *rest = c->word[1]; *rest != '\0'; s->parts++) {
        struct part *part = &s->content[s->parts];

        if (s->parts == SCHEME_PARTS_MAX)
            return "at most 12 parts";
        if (*rest == '{') {
            char *name = rest + 1, *close = strchr(name, '}');

            if (close == NULL)
                return expected;
            *close = '\0';
            rest = close + 1;
            if (!parse_placeholder(part, name))
                return expected;
        } else {
            *part = (struct part){PART_LITERAL, rest, strcspn(rest, "{")};
            rest += part->len;
        }
    }
    return NULL;
}

static bool parse_unit(const char *word, enum time_unit *unit)
{
    static const char *const names[] = {
        [TIME_SECONDS] = "seconds",
        [TIME_MILLISECONDS] = "milliseconds",
        [TIME_RFC3339] = "rfc3339",
        [TIME_ANY] = "any",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (scheme_word_is(word, names[i])) {
            *unit = (enum time_unit)i;
            return true;
        }
    }
    return false;
}

static const char *parse_timestamp(struct scheme *s, const struct scheme_clause *c)
{
    bool known = true;

    if (scheme_word_is(c->word[1], "header") && c->count == 4) {
        s->timestamp.source = FROM_HEADER;
        known = parse_names(s, c->word[2], s->timestamp.name);
    } else if (scheme_word_is(c->word[1], "pair") && c->count == 4) {
        s->timestamp.source = FROM_PAIR;
        s->timestamp.name[0] = c->word[2];
    } else if (scheme_word_is(c->word[1], "body") &&
               (c->count == 4 || (c->count == 5 && scheme_word_is(c->word[4], "optional")))) {
        s->timestamp.source = FROM_BODY;
        s->timestamp.name[0] = c->word[2];
        s->timestamp.optional = c->count == 5;
    } else {
        known = false;
    }
    return known && parse_unit(c->word[3], &s->timestamp.unit)
               ? NULL
               : "header NAME[|NAME] UNIT, pair KEY UNIT or body PATH UNIT [optional], where UNIT "
                 "is seconds, milliseconds, rfc3339 or any";
}

static const char *parse_id(struct scheme *s, const struct scheme_clause *c)
{
    const char *expected = "header NAME[|NAME] [equals PATH] or body PATH";

    if (scheme_word_is(c->word[1], "header")) {
        s->id.source = FROM_HEADER;
        s->id.equals = c->word[4];
        if ((c->count != 3 && !(c->count == 5 && scheme_word_is(c->word[3], "equals"))) ||
            !parse_names(s, c->word[2], s->id.name))
            return expected;
    } else if (scheme_word_is(c->word[1], "body") && c->count == 3) {
        s->id.source = FROM_BODY;
        s->id.name[0] = c->word[2];
    } else {
        return expected;
    }
    return NULL;
}

static const char *parse_delivery(struct scheme *s, const struct scheme_clause *c)
{
    return c->count == 2 && parse_names(s, c->word[1], s->delivery) ? NULL : "HEADER[|HEADER]";
}

static const char *parse_secret(struct scheme *s, const struct scheme_clause *c)
{
    s->secret.prefix = c->word[2];
    return parse_encoding_name(c->word[1], &s->secret.encoding) &&
                   s->secret.encoding != ENCODING_BASE64URL &&
                   (c->count == 2 || (c->count == 3 && s->secret.encoding == ENCODING_BASE64))
               ? NULL
               : "text, base64 [PREFIX] or hex";
}

static const char *parse_tolerance(struct scheme *s, const struct scheme_clause *c)
{
    hookline_bytes text = {c->word[1], c->count == 2 ? strlen(c->word[1]) : 0};
    int64_t seconds;

    if (!hookline_timestamp_read(TIME_SECONDS, text, &seconds) || seconds > HOOKLINE_TOLERANCE_MAX)
        return "SECONDS, at most 86400";
    s->tolerance = (int)seconds;
    return NULL;
}

static const char *parse_payload(struct scheme *s, const struct scheme_clause *c)
{
    s->event.json = c->count == 2 && scheme_word_is(c->word[1], "json");
    return s->event.json ? NULL : "json";
}

static const char *parse_event(struct scheme *s, const struct scheme_clause *c)
{
    if (c->count == 3 && scheme_word_is(c->word[1], "type"))
        s->event.type = c->word[2];
    else if (c->count == 3 && scheme_word_is(c->word[1], "created"))
        s->event.created = c->word[2];
    else if (c->count >= 3 && c->count <= 2 + SCHEME_TESTS_MAX &&
             scheme_word_is(c->word[1], "test"))
        memcpy(s->event.test, c->word + 2, (c->count - 2) * sizeof(c->word[0]));
    else
        return "type PATH, created PATH or test TYPE...";
    return NULL;
}

static const struct keyword {
    const char *name;
    parse_clause *parse;
    bool repeatable;
} keywords[] = {
    {"signature", parse_signature, false},
    {"list", parse_list, false},
    {"prefix", parse_prefix, false},
    {"encoding", parse_encoding, false},
    {"content", parse_content, false},
    {"timestamp", parse_timestamp, false},
    {"id", parse_id, false},
    {"delivery", parse_delivery, false},
    {"secret", parse_secret, false},
    {"tolerance", parse_tolerance, false},
    {"payload", parse_payload, false},
    {"event", parse_event, true},
};

enum {
    KEYWORDS = sizeof(keywords) / sizeof(keywords[0])
};

static size_t find_keyword(const char *name)
{
    size_t i = 0;

    while (i < KEYWORDS && strcmp(keywords[i].name, name) != 0)
        i++;
    return i;
}

/* Splits one clause into words. Returns false on more than WORDS_MAX. */
static bool cut_words(struct scheme_clause *clause, char *text)
{
    char *word;

    *clause = (struct scheme_clause){.count = 0};
    while ((word = strsep(&text, " \t\r")) != NULL) {
        if (*word == '\0')
            continue;
        if (clause->count == WORDS_MAX)
            return false;
        clause->word[clause->count++] = word;
    }
    return true;
}

static bool parse_clauses(struct scheme *s, char *why, size_t why_size)
{
    bool seen[KEYWORDS] = {false};
    char *rest = s->text;

    for (unsigned number = 1; rest != NULL; number++) {
        struct scheme_clause clause;
        const char *problem = NULL;
        size_t k = KEYWORDS;

        if (!cut_words(&clause, strsep(&rest, ";\n")))
            problem = "at most 8 words";
        else if (clause.count == 0)
            continue;
        else if ((k = find_keyword(clause.word[0])) == KEYWORDS)
            problem =
                "signature, list, prefix, encoding, content, timestamp, id, delivery, secret, "
                "tolerance, payload or event";
        else if (seen[k] && !keywords[k].repeatable)
            problem = "once per description";
        else
            problem = keywords[k].parse(s, &clause);
        if (problem != NULL) {
            snprintf(why, why_size, "clause %u (%s): expected %s", number,
                     k == KEYWORDS ? "unknown" : keywords[k].name, problem);
            return false;
        }
        seen[k] = true;
    }
    return true;
}

bool hookline_scheme_parse(struct scheme *s, const char *description, char *why, size_t why_size)
{
    const size_t len = strlen(description);
    const char *danger;

    if (len >= sizeof(s->text)) {
        snprintf(why, why_size, "longer than %zu bytes", sizeof(s->text) - 1);
        return false;
    }
    *s = (struct scheme){.tolerance = HOOKLINE_TOLERANCE_DEFAULT, .signature.prefix = ""};
    memcpy(s->text, description, len);
    if (!parse_clauses(s, why, why_size))
        return false;
    if ((danger = hookline_scheme_danger(s)) != NULL)
        snprintf(why, why_size, "%s", danger);
    return danger == NULL;
}
