/* SPDX-License-Identifier: MIT
 *
 * config.h - what the administrator wants, as numbers and texts: nothing is opened, resolved or
 * started here.
 *
 * Ownership  Made by config_file_read() or from the command line; config_free() releases it.
 * Threads    Immutable once it is read.
 */
#ifndef DAEMON_CONF_CONFIG_H
#define DAEMON_CONF_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
    unsigned burst; /* 0: as much as in a second */
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

/* Numbers: 0 is the default, below. */
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
    unsigned keep_days;      /* 0: the default */
    uint64_t max_bytes;      /* 0: no limit */
    uint64_t queue_bytes;    /* 0: the default */
    uint64_t free_bytes_min; /* 0: the default */
};

struct config_admin {
    char *address;               /* unix:PATH, or ADDRESS:PORT; NULL: none */
    struct config_secret *token; /* asked for over TCP; NULL: ADDRESS is this machine's */
};

/* 0: the default, below. */
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
};

#define CONFIG_DEFAULT_ADDRESS "127.0.0.1:8080"
#define CONFIG_DEFAULT_STORE   "hookline.db" /* in $STATE_DIRECTORY */
enum {
    CONFIG_DEFAULT_BODY_BYTES = 1 << 20,
    CONFIG_DEFAULT_HEAD_BYTES = 64 << 10,
    CONFIG_DEFAULT_CONNECTIONS = 10000,
    CONFIG_DEFAULT_HEADER_SECONDS = 10,
    CONFIG_DEFAULT_BODY_SECONDS = 30,
    CONFIG_DEFAULT_IDLE_SECONDS = 60,
    CONFIG_DEFAULT_SHUTDOWN_SECONDS = 10,
    CONFIG_DEFAULT_KEEP_DAYS = 8,
    CONFIG_DEFAULT_QUEUE_BYTES = 64 << 20,
    CONFIG_DEFAULT_FREE_BYTES_MIN = 64 << 20,
    CONFIG_DEFAULT_CONCURRENCY = 8,
    CONFIG_DEFAULT_TIMEOUT_SECONDS = 15,
};

enum {
    CONFIG_LISTEN_MAX = 16,
    CONFIG_NETWORKS_MAX = 1024,
    CONFIG_DESTINATIONS_MAX = 64,
    CONFIG_WHY_SIZE = 512
};

/* Fills the defaults in and checks what can be checked without opening anything. `file` is what was
 * read, or NULL for the command line. False, and in `why` "FILE:LINE: what is wrong and what was
 * expected". */
bool config_complete(struct config *config, const char *file, char why[CONFIG_WHY_SIZE]);

/* Names go into paths, headers, logs and metrics: letters, digits, - _ and . */
bool config_is_name(const char *name);

/* Writes ": FILE:LINE" of a key such as "sources/0/scheme"; nothing for the command line. */
void config_place(const char *file, const char *key, char *out, size_t size);

/* Writes "FILE:LINE: " for a key such as "sources/0/scheme", or what is known of it;
 * a NULL file is the command line. What was included has the name of its own file. Returns the
 * length. */
size_t config_locate(const char *file, const char *key, char *out, size_t size);

#endif
