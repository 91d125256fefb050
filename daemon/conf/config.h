/* SPDX-License-Identifier: MIT
 *
 * config.h - the configuration as plain numbers and texts.
 *
 * Opens, resolves and starts nothing. table.h has a row for each field, with its default and range.
 *
 * Ownership  config_new() and config_file_read() allocate, config_free() frees.
 * Threads    Immutable after config_complete(): share it as const.
 * Errors     false with "FILE:LINE: what was found; what to type" in `why`.
 */
#ifndef DAEMON_CONF_CONFIG_H
#define DAEMON_CONF_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- places: the file and line of each key
 *
 * A path joins keys and indexes with "/", such as "sources/0/scheme"; "" is the file itself.
 * Indexes count across all files, as in struct config.
 *
 * Ownership  config_places_new() allocates, config_places_free() frees.
 * Threads    Immutable after the configuration is read.
 * Errors     NULL or false on ENOMEM. */

struct config_places;

struct config_places *config_places_new(void);
void config_places_free(struct config_places **places);

/* Sets the file of the paths that follow. */
bool config_places_begin(struct config_places *places, const char *file);
bool config_places_add(struct config_places *places, const char *path, unsigned line);

/* Paths of PEM files. */
struct config_tls {
    char *certificate; /* followed by its intermediates */
    char *key;
    char *client_ca_file; /* NULL: no client certificates */
};

struct config_listen {
    char *address; /* ADDRESS:PORT, [ADDRESS]:PORT or unix:PATH */
    struct config_tls *tls;
    bool proxy_protocol;
};

/* The location of a secret, in exactly one of the first three. A config never holds the secret
 * itself. */
struct config_secret {
    char *file;       /* a path */
    char *env;        /* the name of an environment variable */
    char *credential; /* the name of a file in $CREDENTIALS_DIRECTORY */
    char *label;      /* name in log lines and metrics; sources only; may be NULL */
};

struct config_rate {
    unsigned per_second;
    unsigned burst; /* 0: as per_second, which config_complete() sets */
};

enum config_answer {
    CONFIG_ANSWER_STORED,   /* 200 once the delivery is stored */
    CONFIG_ANSWER_UPSTREAM, /* the destination's answer */
};

enum config_dedup {
    CONFIG_DEDUP_DELIVERY, /* without a signed id: the MAC and the sender's delivery id */
    CONFIG_DEDUP_MAC,      /* without a signed id: the MAC */
};

struct config_source {
    char *name;
    char *path;        /* NULL: "/" and the name, which config_complete() sets */
    char *scheme;      /* name of a scheme, or NULL */
    char *description; /* scheme description, or NULL; exactly one of the two is set */
    char *url;         /* URL registered with the sender; NULL unless the scheme signs it */
    struct config_secret *secrets;
    unsigned secrets_count;
    unsigned *tolerance_seconds; /* NULL: the scheme's */
    enum config_answer answer;
    enum config_dedup dedup;
    char **allow; /* ADDRESS or ADDRESS/BITS; empty: all */
    unsigned allow_count;
    struct config_rate *rate; /* NULL: no limit */
};

/* A request header with exactly one of `value` and the locations. */
struct config_header {
    struct config_secret secret; /* first: table.c has rows for the members of a config_secret */
    char *name;
    char *value;
};

/* HTTP Basic credentials. */
struct config_basic {
    char *user;
    struct config_secret password;
};

struct config_destination {
    char *name;
    char *url;
    char *socket;   /* path of a Unix socket to connect to; NULL: the URL's host */
    char **sources; /* empty: all */
    unsigned sources_count;
    char **types; /* empty: all */
    unsigned types_count;
    struct config_secret *secret; /* NULL: attempts are not signed */
    unsigned concurrency;
    unsigned timeout_seconds;
    bool ordered;
    unsigned *retry_seconds; /* empty: BACKOFF_STANDARD */
    unsigned retry_seconds_count;
    unsigned *park_statuses; /* empty: 410 */
    unsigned park_statuses_count;
    struct config_rate *rate; /* NULL: no limit */
    char **headers;           /* names of the sender's headers to forward; empty: all */
    unsigned headers_count;
    bool query; /* forward the sender's query */
    struct config_header *add_headers;
    unsigned add_headers_count;
    struct config_basic *basic;   /* NULL: none */
    struct config_secret *bearer; /* NULL: none */
    char *ca_file;                /* NULL: the system's CAs */
    char *certificate, *key;      /* PEM files of the client certificate; NULL: none */
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
    struct config_secret *token; /* required over TCP; NULL: ADDRESS is local */
};

struct config_limits {
    uint64_t body_bytes;
    uint64_t bodies_bytes;
    unsigned head_bytes;
    unsigned connections;
    unsigned connections_per_address; /* 0: no limit */
    unsigned header_seconds, body_seconds, idle_seconds, shutdown_seconds;
    unsigned refused_per_minute; /* 0: no limit */
};

struct config {
    struct config_listen *listen;
    unsigned listen_count;
    char **trusted_proxies; /* in the syntax of proxies_text_is_valid() */
    unsigned trusted_proxies_count;
    bool listen_by_default; /* `listen` is CONFIG_DEFAULT_ADDRESS, not configured */
    char *health_path;      /* NULL: none */
    unsigned threads;       /* 0: one per processor but one, which config_complete() sets */
    struct config_log log;
    struct config_store store;
    struct config_limits limits;
    struct config_admin admin;
    struct config_source *sources;
    unsigned sources_count;
    struct config_destination *destinations;
    unsigned destinations_count;
    char *include;                /* pattern of files, already read into this struct; NULL: none */
    struct config_places *places; /* of the keys; NULL: made from the command line */
};

#define CONFIG_DEFAULT_ADDRESS "127.0.0.1:8080"
#define CONFIG_DEFAULT_STORE   "hookline.db" /* in $STATE_DIRECTORY */

enum {
    CONFIG_LISTEN_MAX = 16,
    CONFIG_NETWORKS_MAX = 1024,
    CONFIG_DESTINATIONS_MAX = 64,
    CONFIG_WHY_SIZE = 512
};

/* Checks keys against each other and sets the defaults that depend on the machine. */
bool config_complete(struct config *config, char why[CONFIG_WHY_SIZE]);

/* True if exactly one location is set. */
bool config_is_one_secret(const struct config_secret *secret);

/* True for letters, digits, - _ and . only: names go into paths, headers, logs and metrics. */
bool config_is_name(const char *name);

/* True if a file sets the key, such as "destinations/0/concurrency". */
bool config_has(const struct config *config, const char *key);

/* Writes " (first defined at FILE:LINE)" for a key such as "sources/0/name"; an empty text for the
 * command line. */
void config_place(const struct config *config, const char *key, char *out, size_t size);

/* Writes "FILE:LINE: " for a key such as "sources/0/scheme", or for its nearest ancestor in a file;
 * "command line: " without a file. Returns the length. */
size_t config_locate(const struct config *config, const char *key, char *out, size_t size);

#endif
