/* SPDX-License-Identifier: MIT
 *
 * source.h - the sources as the receiver needs them: by path, each with its verifier.
 *
 * Ownership  Copies what it needs of the config. sources_free() wipes the secrets.
 * Threads    Immutable after sources_attach_metrics(): share it as const.
 */
#ifndef DAEMON_POLICY_SOURCE_H
#define DAEMON_POLICY_SOURCE_H

#include <stdbool.h>

#include <hookline.h>

struct config;
struct metrics;
struct metrics_secret;
struct metrics_source;
struct network;
struct network_host;
struct rate;

struct source {
    char *name, *path, *scheme; /* scheme: its name, or "custom" */
    char *url;                  /* may be NULL */
    char *description;          /* of the scheme */
    hookline_verifier *verifier;
    char *secrets[HOOKLINE_SECRETS_MAX]; /* of the verifier; each is in locked memory */
    char *labels[HOOKLINE_SECRETS_MAX];  /* theirs, for people; NULL: it has none */
    size_t secrets_count;
    struct network *allow; /* who may deliver; none: everybody */
    size_t allow_count;
    struct rate *rate; /* NULL: no limit; the one thing that changes, an atomic */
    /* set by sources_attach_metrics() */
    struct metrics_source *counters;
    struct metrics_secret *secret_counters[HOOKLINE_SECRETS_MAX];
};

struct sources;

/* Reads the secrets and makes the verifiers. `file` is where the config was read, or NULL;
 * `why` has CONFIG_WHY_SIZE bytes. `warn` is called for what is allowed but unwise. */
struct sources *sources_open(const struct config *config, void (*warn)(const char *text),
                             char *why);
void sources_free(struct sources **sources);

/* Finds the counters of each source. Before they are shared. False without memory. */
bool sources_attach_metrics(struct sources *sources, struct metrics *metrics);

/* The rates of those that are the same go on where they are. Before they are shared. */
void sources_inherit_rates(struct sources *sources, const struct sources *before);

size_t sources_count(const struct sources *sources);
const struct source *sources_at(const struct sources *sources, size_t number);

/* A host of family 0, as that of a Unix socket, is in no network. */
bool source_allows(const struct source *source, const struct network_host *host);

/* The source whose path is exactly this, or NULL; likewise its name. */
const struct source *sources_find_path(const struct sources *sources, const char *path, size_t len);
const struct source *sources_find_name(const struct sources *sources, const char *name);

#endif
