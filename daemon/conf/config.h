/* SPDX-License-Identifier: MIT
 *
 * config.h - the configuration as numbers and texts; nothing is opened, resolved or started here.
 * table.h has a row for each field, with its default and its range.
 *
 * Ownership  config_file_read() and config_new() allocate, config_free() releases.
 * Threads    Immutable once it is read.
 */
#ifndef DAEMON_CONF_CONFIG_H
#define DAEMON_CONF_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config_places;

/* Paths of PEM files. */
struct config_tls {
    char *certificate; /* and those between it and the authority */
    char *key;
    char *client_ca_file; /* NULL: clients show no certificate */
};

struct config_listen {
    char *address; /* ADDRESS:PORT, [ADDRESS]:PORT or unix:PATH */
    struct config_tls *tls;
    bool proxy_protocol;
};

/* Where a secret is; exactly one of the first three is set. The secret itself never enters a
 * config. */
struct config_secret {
    char *file;       /* a path */
    char *env;        /* the name of an environment variable */
    char *credential; /* the name of a file in $CREDENTIALS_DIRECTORY */
    char *label;      /* what lines and counters call it; of a source's only; may be NULL */
};

struct config_rate {
    unsigned per_second;
    unsigned burst; /* 0 until config_complete(): as per_second */
};

enum config_answer {
    CONFIG_ANSWER_STORED,   /* the daemon's own, when the delivery is stored */
    CONFIG_ANSWER_UPSTREAM, /* that of the destination */
};

struct config_source {
    char *name;
    char *path;        /* NULL: "/" and the name */
    char *scheme;      /* a name, or NULL ... */
    char *description; /* ... and a description in its place */
    char *url;         /* what the sender thinks our URL is; NULL unless the scheme signs it */
    struct config_secret *secrets;
    unsigned secrets_count;
    unsigned *tolerance_seconds; /* NULL: the scheme's */
    enum config_answer answer;
    char **allow; /* ADDRESS or ADDRESS/BITS; none: all */
    unsigned allow_count;
    struct config_rate *rate; /* NULL: no limit */
};

struct config_destination {
    char *name;
    char *url;
    char **sources; /* none: all */
    unsigned sources_count;
    char **types; /* none: all */
    unsigned types_count;
    struct config_secret *secret; /* NULL: deliveries are not signed anew */
    unsigned concurrency;
    unsigned timeout_seconds;
    bool ordered;
    unsigned *retry_seconds; /* none: the default of Standard Webhooks */
    unsigned retry_seconds_count;
    char *ca_file; /* NULL: the system's */
};

struct config_log {
    char *file; /* NULL or "-": standard output */
    bool body;
};

struct config_store {
    char *file;
    unsigned keep_days;
    uint64_t max_bytes; /* 0: no limit */
    uint64_t queue_bytes;
    uint64_t free_bytes_min;
};

struct config_admin {
    char *address;               /* unix:PATH, or ADDRESS:PORT; NULL: none */
    struct config_secret *token; /* asked for over TCP; NULL: ADDRESS is this machine's */
};

struct config_limits {
    uint64_t body_bytes;
    unsigned head_bytes;
    unsigned connections;
    unsigned connections_per_address; /* 0: no limit */
    unsigned header_seconds, body_seconds, idle_seconds, shutdown_seconds;
    unsigned refused_per_minute; /* 0: no limit */
};

struct config {
    struct config_listen *listen;
    unsigned listen_count;
    char **trusted_proxies; /* as proxies.h reads them */
    unsigned trusted_proxies_count;
    bool listen_by_default; /* nobody has asked for it */
    unsigned threads;       /* 0: one per processor but one */
    struct config_log log;
    struct config_store store;
    struct config_limits limits;
    struct config_admin admin;
    struct config_source *sources;
    unsigned sources_count;
    struct config_destination *destinations;
    unsigned destinations_count;
    char *include; /* NULL: there are no other files; else what is in them is here, too */
    struct config_places *slots; /* NULL: the command line made it */
};

#define CONFIG_DEFAULT_ADDRESS "127.0.0.1:8080"
#define CONFIG_DEFAULT_STORE   "hookline.db" /* in $STATE_DIRECTORY */

enum {
    CONFIG_LISTEN_MAX = 16,
    CONFIG_NETWORKS_MAX = 1024,
    CONFIG_DESTINATIONS_MAX = 64,
    CONFIG_WHY_SIZE = 512
};

/* Makes the cross-checks that need two keys, and fills the defaults that depend on the machine.
 * Opens nothing. False, and in `why` "FILE:LINE: what was found; what to type". */
bool config_complete(struct config *config, char why[CONFIG_WHY_SIZE]);

/* Names go into paths, headers, logs and metrics: letters, digits, - _ and . */
bool config_is_name(const char *name);

/* True if the file has the key, such as "destinations/0/concurrency". */
bool config_has(const struct config *config, const char *key);

/* Writes " (first defined at FILE:LINE)" for a key such as "sources/0/name"; nothing for the
 * command line. */
void config_place(const struct config *config, const char *key, char *out, size_t size);

/* Writes "FILE:LINE: " for a key such as "sources/0/scheme", or for the longest part of it that was
 * read; "command line: " if no file was. Returns the length. */
size_t config_locate(const struct config *config, const char *key, char *out, size_t size);

#endif
