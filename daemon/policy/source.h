/* SPDX-License-Identifier: MIT
 *
 * source.h - the configured sources, found by path: verifier, secrets, allowed networks, rate
 * limit.
 *
 * Ownership  Copies the config. sources_free() wipes the secrets.
 * Threads    Immutable after sources_attach_metrics(): share as const.
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
    char *url;                  /* as registered with the sender; may be NULL */
    char *description;          /* scheme description */
    bool names_type;            /* the scheme reads a type from the payload */
    bool dedup_by_mac;          /* without a signed id: equal bytes are a duplicate */
    hookline_verifier *verifier;
    char *secrets[HOOKLINE_SECRETS_MAX]; /* same as the verifier's; in locked memory */
    char *labels[HOOKLINE_SECRETS_MAX];  /* for people; NULL: none */
    size_t secrets_count;
    struct network *allow; /* networks that may deliver; NULL: all */
    size_t allow_count;
    struct rate *rate; /* NULL: no limit; the only member that changes, atomically */
    /* set by sources_attach_metrics() */
    struct metrics_source *counters;
    struct metrics_secret *secret_counters[HOOKLINE_SECRETS_MAX];
};

struct sources;

/* Reads the secrets and creates the verifiers. `why`
 * has CONFIG_WHY_SIZE bytes. Calls `warn` for unwise settings. Returns NULL with the reason in
 * `why`. */
struct sources *sources_open(const struct config *config, void (*warn)(const char *text),
                             char *why);
void sources_free(struct sources **sources);

/* Attaches the counters of each source, before sharing. Returns false on ENOMEM. */
bool sources_attach_metrics(struct sources *sources, struct metrics *metrics);

/* Carries over the used part of unchanged rate limits, before sharing. */
void sources_inherit_rates(struct sources *sources, const struct sources *before);

/* Returns false if the system refuses to lock a secret in memory. */
bool sources_are_locked(const struct sources *sources);

size_t sources_count(const struct sources *sources);
const struct source *sources_at(const struct sources *sources, size_t number);

/* Returns true if the host is in an allowed network; a host of family 0 (Unix socket) is in
 * none. */
bool source_allows(const struct source *source, const struct network_host *host);

/* Returns a source whose path differs only by case, by slashes at the end or repeated, or by percent
 * encoding; NULL if there is none. */
const struct source *sources_find_near_path(const struct sources *sources, const char *path,
                                            size_t len);

/* Return NULL if no source has exactly this path or name. */
const struct source *sources_find_path(const struct sources *sources, const char *path, size_t len);
const struct source *sources_find_name(const struct sources *sources, const char *name);

#endif
