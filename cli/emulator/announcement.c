/* SPDX-License-Identifier: MIT */
#include "cli/emulator/announcement.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "cli/emulator/api.h"
#include "cli/emulator/delivery.h"
#include "cli/emulator/keys.h"
#include "cli/emulator/playground.h"
#include "daemon/base/json.h"
#include "daemon/base/rfc3339.h"
#include "daemon/log/log.h"

enum {
    PATH_SIZE = 4200,
};

/* ---- ping command */

static void announcement_push(cJSON *words, const char *word)
{
    cJSON_AddItemToArray(words, cJSON_CreateString(word));
}

static void announcement_push_option(cJSON *words, const char *name, const char *value)
{
    announcement_push(words, name);
    announcement_push(words, value);
}

static void announcement_push_path(cJSON *words, const char *name, const char *before,
                                   const char *folder, const char *file)
{
    char path[PATH_SIZE];

    snprintf(path, sizeof(path), "%s%s/%s", before, folder, file);
    if (words == NULL || name == NULL)
        return;
    announcement_push_option(words, name, path);
}

static bool announcement_has_organization(const struct playground_endpoint *endpoint)
{
    return strcmp(endpoint->provider, "foil") == 0 || strcmp(endpoint->provider, "tripwire") == 0;
}

static cJSON *announcement_ping_words(const struct announcement *a,
                                      const struct playground_endpoint *endpoint,
                                      const char *base_url)
{
    bool is_emulated = strcmp(endpoint->provider, "emulated") == 0;
    cJSON *words = cJSON_CreateArray();

    announcement_push(words, "hookline");
    announcement_push(words, "ping");
    announcement_push(words, endpoint->provider);
    if (is_emulated)
        announcement_push(words, endpoint->source);
    else
        announcement_push_option(words, "--endpoint", endpoint->id);
    if (announcement_has_organization(endpoint))
        announcement_push_option(words, "--organization", a->organization);
    announcement_push_option(words, "--base-url", base_url);
    if (!is_emulated)
        announcement_push_path(words, "--key", "@", a->folder, endpoint->provider);
    if (!is_emulated && strcmp(endpoint->source, endpoint->provider) != 0)
        announcement_push_option(words, "--source", endpoint->source);
    if (a->playground->sink != NULL)
        announcement_push_option(words, "--sink", a->playground->sink);
    if (a->playground->sink_token != NULL)
        announcement_push_option(words, "--sink-token", a->playground->sink_token);
    return words;
}

/* ---- JSON */

static cJSON *announcement_endpoint_json(const struct announcement *a,
                                         const struct playground_endpoint *endpoint,
                                         const char *base_url)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "provider", endpoint->provider);
    cJSON_AddStringToObject(json, "source", endpoint->source);
    cJSON_AddStringToObject(json, "id", endpoint->id);
    api_json_text(json, "organization",
                  announcement_has_organization(endpoint) ? a->organization : NULL);
    cJSON_AddStringToObject(json, "url", endpoint->url);
    cJSON_AddStringToObject(json, "scheme", endpoint->scheme);
    cJSON_AddItemToObject(json, "ping", announcement_ping_words(a, endpoint, base_url));
    return json;
}

static cJSON *announcement_keys_json(const struct announcement *a)
{
    cJSON *json = cJSON_CreateObject();
    const struct key *key;
    char path[PATH_SIZE];

    for (size_t i = 0; (key = keys_at(a->keys, i)) != NULL; i++) {
        snprintf(path, sizeof(path), "%s/%s", a->folder, key->name);
        cJSON_AddStringToObject(json, key->name, path);
    }
    return json;
}

static bool announcement_start_json(const struct announcement *a, const char *base_url)
{
    cJSON *json = cJSON_CreateObject(), *list;
    char *text;

    cJSON_AddStringToObject(json, "base_url", base_url);
    cJSON_AddStringToObject(json, "organization", a->organization);
    cJSON_AddItemToObject(json, "keys", announcement_keys_json(a));
    list = cJSON_AddArrayToObject(json, "endpoints");
    for (size_t i = 0; i < a->playground->count; i++)
        cJSON_AddItemToArray(list,
                             announcement_endpoint_json(a, &a->playground->endpoints[i], base_url));
    text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    if (text != NULL)
        printf("%s\n", text);
    cJSON_free(text);
    return text != NULL;
}

/* ---- text */

/* Quotes the word for a shell if needed. */
static void announcement_print_word(const char *word)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@=,+";

    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        printf(" %s", word);
        return;
    }
    printf(" '");
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            printf("'\\''");
        else
            putchar(*word);
    }
    putchar('\'');
}

static void announcement_start_text(const struct announcement *a, const char *base_url)
{
    printf("emulating Foil, Tripwire, Shodai and TruLayer at %s\nFoil's organization: %s; API keys "
           "in %s\n",
           base_url, a->organization, a->folder);
    for (size_t i = 0; i < a->playground->count; i++) {
        const struct playground_endpoint *endpoint = &a->playground->endpoints[i];
        cJSON *words = announcement_ping_words(a, endpoint, base_url);
        const cJSON *word;

        printf("\n%s: %s of %s -> %s\n ", endpoint->source, endpoint->id, endpoint->provider,
               endpoint->url);
        cJSON_ArrayForEach(word, words)
        {
            announcement_print_word(word->valuestring);
        }
        putchar('\n');
        cJSON_Delete(words);
    }
}

bool announcement_start(const struct announcement *a)
{
    char base_url[256];
    bool good = true;

    snprintf(base_url, sizeof(base_url), "http://%s", a->address);
    if (a->json)
        good = announcement_start_json(a, base_url);
    else
        announcement_start_text(a, base_url);
    fflush(stdout);
    return good;
}

/* ---- attempts */

static void announcement_attempt_json(struct log *log, const struct dispatch_log_entry *note,
                                      const char *faults)
{
    struct json_writer line = {0};

    json_begin(&line);
    json_time(&line, "time", note->at_us);
    json_string(&line, "provider", note->provider);
    json_string(&line, "endpoint", note->endpoint);
    json_string(&line, "delivery", note->delivery);
    json_string(&line, "event", note->event);
    json_number(&line, "attempt", note->attempt);
    json_bool(&line, "duplicate", note->duplicate);
    json_number(&line, "status", note->status);
    json_string(&line, "error", note->error);
    json_string(&line, "faults", faults);
    if (json_end(&line)) {
        log_write(log, line.text.base, line.text.len);
        log_flush(log);
    }
    json_free(&line);
}

/* A full pipe would block the loop, and with it every delivery. */
static bool announcement_fd_is_writable(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};

    return poll(&ready, 1, 0) > 0;
}

void announcement_attempt(struct log *log, const struct dispatch_log_entry *note)
{
    char faults[FAULTS_TEXT_MAX], time[RFC3339_SIZE], outcome[32];

    faults_write(note->faults, faults);
    if (log != NULL) {
        announcement_attempt_json(log, note, faults);
        return;
    }
    if (!announcement_fd_is_writable(STDERR_FILENO))
        return;
    rfc3339_write(time, note->at_us);
    snprintf(outcome, sizeof(outcome), "status %d", note->status);
    fprintf(stderr, "%s %s %s: event %s, %s %u: %s%s%s%s\n", time, note->provider, note->endpoint,
            note->event, note->duplicate ? "duplicate of attempt" : "attempt", note->attempt,
            note->error == NULL ? outcome : note->error, faults[0] == '\0' ? "" : " (", faults,
            faults[0] == '\0' ? "" : ")");
}
