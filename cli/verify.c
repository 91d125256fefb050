/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/hints/mistake.h"
#include "daemon/base/moment.h"
#include "daemon/base/notice.h"
#include "daemon/policy/source.h"
#include "cli/clause.h"
#include "cli/command.h"
#include "cli/header_lines.h"
#include "cli/request.h"
#include "cli/seal.h"
#include "cli/trust.h"
#include "cli/verdict.h"

enum {
    NAME_SIZE = 128,
    TIME_SIZE = 64
};

struct options {
    struct trust_options trust;
    struct request_options request;
    int64_t now;
    bool testing, json;
};

static const struct options defaults = {.trust = {.tolerance = -1}};

static const struct option_row rows[] = {
    TRUST_OPTIONS(struct options, trust),
    REQUEST_OPTIONS(struct options, request),
    {"now", 0, OPTION_NUMBER, offsetof(struct options, now), "SECONDS",
     "the time to compare with, since 1970; default: now, or\nwhen what is stored arrived", 1,
     253402300799},
    {"tolerance", 0, OPTION_NUMBER, offsetof(struct options, trust.tolerance), "SECONDS",
     "how old or new it may be; default: the scheme's", 0, HOOKLINE_TOLERANCE_MAX},
    {"i-am-testing", 0, OPTION_FLAG, offsetof(struct options, testing), NULL,
     "print the right signature, too; never where others read", 0, 0},
    {"json", 0, OPTION_FLAG, offsetof(struct options, json), NULL, "print one JSON object", 0, 0},
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

struct checking {
    const struct options *options;
    struct request *kept;
    struct trust *trust;
    hookline_header_list headers;
    hookline_request request;
    hookline_event *event;
    hookline_signature right;
    struct sources *sources; /* those of the configuration, once they are needed */
    struct verdict verdict;
};

/* ---- the right signature, for who is testing */

/* A word of a clause may be two names, "A|B", of which the sender uses one. */
static bool find_header(const struct checking *c, const struct clause *clause, size_t word,
                        hookline_bytes *value)
{
    struct clause other = *clause;
    char name[NAME_SIZE];
    hookline_bytes *names = &other.words[word];

    while (word < clause->count && names->len > 0) {
        size_t len;

        clause_copy(&other, word, name, sizeof(name));
        if (hookline_find_in_list(&c->headers, name, value) > 0)
            return true;
        len = strlen(name) + 1;
        if (len == 1 || len > names->len)
            return false;
        names->base += len;
        names->len -= len;
    }
    return false;
}

/* The item of a list such as "t=1492774577,v1=xxx". */
static bool find_pair(hookline_bytes list, const struct clause *timestamp, hookline_bytes *value)
{
    char key[NAME_SIZE];
    size_t len;

    clause_copy(timestamp, 2, key, sizeof(key));
    len = strlen(key);
    for (size_t i = 0; i + len < list.len; i++) {
        bool begins = i == 0 || strchr(",; ", list.base[i - 1]) != NULL;

        if (!begins || memcmp(list.base + i, key, len) != 0 || list.base[i + len] != '=')
            continue;
        *value = (hookline_bytes){list.base + i + len + 1, 0};
        while (i + len + 1 + value->len < list.len &&
               strchr(",; ", value->base[value->len]) == NULL)
            value->len++;
        return true;
    }
    return false;
}

/* The time that the request says it was signed at, so that the right signature can be compared with
 * the one that came; nothing of it is authentic. 0 if it says none. */
static int64_t claimed_time(const struct checking *c)
{
    struct clause timestamp, signature;
    hookline_bytes value = {NULL, 0};
    char text[TIME_SIZE];
    int64_t us;

    if (!clause_find(c->trust->description, "timestamp", NULL, &timestamp) ||
        !clause_find(c->trust->description, "signature", NULL, &signature))
        return 0;
    if (clause_says(&timestamp, 1, "header"))
        find_header(c, &timestamp, 2, &value);
    else if (clause_says(&timestamp, 1, "pair") && find_header(c, &signature, 1, &value) &&
             !find_pair(value, &timestamp, &value))
        value.len = 0;
    if (value.len == 0 || value.len >= sizeof(text))
        return 0;
    memcpy(text, value.base, value.len);
    text[value.len] = '\0';
    if (clause_says(&timestamp, 3, "milliseconds"))
        return strtoll(text, NULL, 10) / 1000;
    return moment_read(text, &us) ? us / 1000000 : 0;
}

/* What the request lacks may be just what is needed for it: the verdict is said all the same. */
static void make_right(struct checking *c)
{
    struct clause id;
    struct seal seal = {
        .verifier = c->trust->verifier,
        .description = c->trust->description,
        .request = c->request,
        .now = claimed_time(c),
    };
    char why[SEAL_WHY_SIZE];

    if (seal.now <= 0)
        seal.now = c->verdict.now;
    if (clause_find(c->trust->description, "id", "header", &id))
        find_header(c, &id, 2, &seal.id);
    if (seal_sign(&seal, &c->right, why))
        c->verdict.right = &c->right;
    else
        notice("--i-am-testing: cannot sign: %s", why);
}

/* ---- the usual mistakes */

static void ignore(const char *text)
{
    (void)text;
}

/* The other sources of the configuration; without them, say because their secrets are not ours to
 * read, it is only not known whether it was meant for one of them. */
static size_t open_others(struct checking *c, struct mistake_other **others)
{
    char why[CONFIG_WHY_SIZE];
    size_t count = 0;

    if (c->trust->config == NULL)
        return 0;
    c->sources = sources_open(c->trust->config, c->options->trust.config, ignore, why);
    if (c->sources == NULL ||
        (*others = calloc(sources_count(c->sources) + 1, sizeof(**others))) == NULL)
        return 0;
    for (size_t i = 0; i < sources_count(c->sources); i++) {
        const struct source *source = sources_at(c->sources, i);

        if (strcmp(source->name, c->trust->source) != 0)
            (*others)[count++] =
                (struct mistake_other){source->name, source->url, source->verifier};
    }
    return count;
}

static void find_mistake(struct checking *c)
{
    struct mistake_other *others = NULL;
    struct mistake_question question = {
        .verifier = c->trust->verifier,
        .request = &c->request,
        .now = c->verdict.now,
        .result = c->verdict.result,
        .description = c->trust->description,
        .secrets = (const char *const *)c->trust->secrets,
        .secrets_count = c->trust->secrets_count,
    };
    struct mistake mistake;

    question.others_count = open_others(c, &others);
    question.others = others;
    mistake = mistake_find(&question);
    c->verdict.hint = mistake_name(mistake.kind);
    c->verdict.hint_text = mistake_text(mistake.kind);
    c->verdict.hint_source = mistake.other;
    free(others);
}

/* ---- the verdict */

static bool open_all(struct checking *c)
{
    struct trust_options trust = c->options->trust;
    struct request_options request = c->options->request;
    char why[REQUEST_WHY_SIZE];

    request.config = trust.config;
    if ((c->kept = request_open(&request, why)) != NULL) {
        /* What is stored knows whose it is. */
        if (trust.config != NULL && trust.source == NULL)
            trust.source = c->kept->source;
        c->trust = trust_open(&trust, why);
    }
    if (c->trust == NULL) {
        notice("%s", why);
        return false;
    }
    if (c->kept->ignored > 0)
        notice("%s: %zu bytes behind the body of the request are not looked at",
               contents_name(c->options->request.whole), c->kept->ignored);
    return true;
}

static bool is_complete(const struct checking *c)
{
    if (c->request.url.len > 0 || !clause_signs(c->trust->description, "{url}"))
        return true;
    notice("expected --url URL: this scheme signs the URL that is registered with the sender");
    return false;
}

static void view_request(struct checking *c)
{
    const char *url = c->trust->url, *method = c->trust->method;

    if (method == NULL)
        method = c->kept->method == NULL ? "POST" : c->kept->method;
    c->headers = header_lines_list(&c->kept->headers);
    c->request = (hookline_request){
        .find_header = hookline_find_in_list,
        .headers = &c->headers,
        .body = c->kept->body,
        .method = {method, strlen(method)},
        .url = {url, url == NULL ? 0 : strlen(url)},
    };
}

static void judge(struct checking *c)
{
    int64_t now = c->options->now;
    int code;

    if (now == 0)
        now = c->kept->received_at > 0 ? c->kept->received_at : clock_wall_us() / 1000000;
    c->verdict = (struct verdict){
        .scheme = c->trust->name,
        .source = c->trust->source,
        .secrets_count = c->trust->secrets_count,
        .result = hookline_verify(c->trust->verifier, &c->request, now),
        .now = now,
    };
    c->verdict.code = c->verdict.result.reason;
    if (!hookline_accepted(c->verdict.result)) {
        find_mistake(c);
        return;
    }
    code = hookline_event_read(&c->event, c->trust->verifier, &c->verdict.result);
    if (code < 0)
        c->verdict.code = code;
    c->verdict.event = c->event;
}

static enum outcome say(struct checking *c)
{
    if (c->verdict.code <= HOOKLINE_BAD_CALL) {
        notice("%s", hookline_code_text(c->verdict.code));
        return OUTCOME_USAGE;
    }
    if (c->options->testing)
        make_right(c);
    if (!c->options->json) {
        verdict_print(&c->verdict);
    } else if (!verdict_print_json(&c->verdict)) {
        notice("out of memory");
        return OUTCOME_TRANSPORT;
    }
    return verdict_outcome(&c->verdict);
}

static enum outcome run(const void *options, const char *const *arguments, size_t count)
{
    struct checking c = {.options = options};
    enum outcome outcome = OUTCOME_USAGE;

    (void)arguments, (void)count;
    if (open_all(&c)) {
        view_request(&c);
        if (is_complete(&c)) {
            judge(&c);
            outcome = say(&c);
        }
    }
    hookline_event_free(&c.event);
    if (c.sources != NULL)
        sources_free(&c.sources);
    trust_close(&c.trust);
    request_close(&c.kept);
    return outcome;
}

const struct command command_verify = {
    .name = "verify",
    .arguments = "",
    .summary = "Say whether a request that was received is genuine, or why not",
    .details = "Exit status: 0 verified, 1 refused, 3 genuine but too old or too new.\n",
    .options = rows,
    .options_size = sizeof(struct options),
    .defaults = &defaults,
    .run = run,
};
