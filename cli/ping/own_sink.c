/* SPDX-License-Identifier: MIT */
#include "cli/ping/own_sink.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/message.h"
#include "daemon/base/net.h"
#include "daemon/conf/config.h"
#include "daemon/conf/config_file.h"
#include "daemon/http/listener.h"
#include "daemon/policy/policy.h"
#include "daemon/service.h"

/* nohup(1) and shells ignore signals for background jobs; blocking an ignored signal would
 * deliver it. */
static bool own_sink_signal_is_ignored(int signal)
{
    struct sigaction action;

    return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

void own_sink_signals_block(struct own_sink_signals *s)
{
    const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

    s->signal = 0;
    sigemptyset(&s->ours);
    for (size_t n = 0; n < sizeof(ends) / sizeof(ends[0]); n++)
        if (!own_sink_signal_is_ignored(ends[n]))
            sigaddset(&s->ours, ends[n]);
    /* hooklined raises SIGUSR1 when its store has failed. */
    sigaddset(&s->ours, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &s->ours, &s->before);
}

bool own_sink_signals_pending(void *signals)
{
    struct own_sink_signals *s = signals;
    const struct timespec now = {0, 0};
    int came = s->signal == 0 ? sigtimedwait(&s->ours, NULL, &now) : s->signal;

    if (came > 0)
        s->signal = came;
    return s->signal != 0;
}

bool own_sink_signals_consume(struct own_sink_signals *s, int signal)
{
    if (s->signal != signal)
        return false;
    s->signal = 0;
    return true;
}

void own_sink_signals_restore(struct own_sink_signals *s)
{
    if (s->signal != 0) {
        signal(s->signal, SIG_DFL);
        raise(s->signal);
    }
    pthread_sigmask(SIG_SETMASK, &s->before, NULL);
}

/* ---- own sink */

enum {
    SHUTDOWN_S = 2
};

struct own_sink {
    char *folder, *admin, *url;
    struct config *config;
    struct policy *policy;
    struct service *service;
    pthread_mutex_t mutex;
    char said[OWN_SINK_WHY_SIZE]; /* hooklined's last message */
};

/* Keeps hooklined's messages off stderr; own_sink_explain() shows the last one. */
static void own_sink_on_message(void *data, const char *line)
{
    struct own_sink *s = data;

    pthread_mutex_lock(&s->mutex);
    snprintf(s->said, sizeof(s->said), "%s", line);
    pthread_mutex_unlock(&s->mutex);
}

/* ---- folder */

static void own_sink_remove_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir != NULL)
        closedir(dir);
    rmdir(folder);
}

static bool own_sink_make_folder(struct own_sink *s, char *why)
{
    const char *where = getenv("TMPDIR");

    if (where == NULL || where[0] == '\0')
        where = "/tmp";
    if (asprintf(&s->folder, "%s/hookline-ping-XXXXXX", where) < 0)
        s->folder = NULL;
    if (s->folder != NULL && mkdtemp(s->folder) != NULL)
        return true;
    snprintf(why, OWN_SINK_WHY_SIZE, "cannot create a directory for deliveries in %s: %s", where,
             strerror(errno));
    free(s->folder);
    s->folder = NULL;
    return false;
}

/* ---- configuration */

static char *own_sink_path(const struct own_sink *s, const char *prefix, const char *name)
{
    char *path = NULL;

    return asprintf(&path, "%s%s/%s", prefix, s->folder, name) < 0 ? NULL : path;
}

static char *own_sink_copy(const char *text)
{
    return text == NULL ? NULL : strdup(text);
}

static bool own_sink_fill_source(struct config_source *source, const struct own_sink_options *o)
{
    const struct option_secrets *secrets = o->secrets;

    source->name = strdup(o->source);
    source->scheme = strdup(o->scheme);
    source->path = own_sink_copy(o->path);
    source->secrets = calloc(secrets->count, sizeof(*source->secrets));
    if (source->name == NULL || source->scheme == NULL || source->secrets == NULL ||
        (o->path != NULL && source->path == NULL))
        return false;
    for (source->secrets_count = 0; source->secrets_count < secrets->count;) {
        const struct config_secret *from = &secrets->items[source->secrets_count];
        struct config_secret *to = &source->secrets[source->secrets_count++];

        *to = (struct config_secret){.file = own_sink_copy(from->file),
                                     .env = own_sink_copy(from->env),
                                     .credential = own_sink_copy(from->credential)};
        if (to->file == NULL && to->env == NULL && to->credential == NULL)
            return false;
    }
    return true;
}

static bool own_sink_fill_config(struct own_sink *s, const struct own_sink_options *o)
{
    struct config *c = s->config = config_new();

    if (c == NULL)
        return false;
    if (config_add("listen", c) == NULL || config_add("sources", c) == NULL)
        return false;
    c->threads = 1;
    c->limits.shutdown_seconds = SHUTDOWN_S;
    c->listen[0].address = strdup(o->address);
    c->log.file = own_sink_path(s, "", "log");
    c->store.file = own_sink_path(s, "", "hookline.db");
    c->admin.address = own_sink_path(s, "unix:", "admin.sock");
    s->admin = own_sink_copy(c->admin.address);
    return c->listen[0].address != NULL && c->log.file != NULL && c->store.file != NULL &&
           s->admin != NULL && own_sink_fill_source(&c->sources[0], o);
}

static void own_sink_ignore_warning(const char *text)
{
    (void)text;
}

/* Checks the user's options. A provider cannot deliver to a Unix socket. */
static bool own_sink_configure(struct own_sink *s, const struct own_sink_options *o, char *why)
{
    const char *where = "command line: ";
    char complaint[CONFIG_WHY_SIZE] = "out of memory";
    struct sockaddr_storage address;
    socklen_t len;
    bool filled;

    if (!address_read(o->address, &address, &len) || address.ss_family == AF_UNIX) {
        snprintf(why, OWN_SINK_WHY_SIZE, "cannot listen on %s: expected a numeric ADDRESS:PORT",
                 o->address);
        return false;
    }
    filled = own_sink_fill_config(s, o);
    if (filled && !address_read(s->admin, &address, &len)) {
        snprintf(why, OWN_SINK_WHY_SIZE,
                 "%s: too long for a Unix socket's path: set a shorter TMPDIR", s->folder);
        return false;
    }
    if (filled && config_complete(s->config, complaint) &&
        (s->policy = policy_open(s->config, own_sink_ignore_warning, complaint)) != NULL)
        return true;
    /* The user knows that the error is on the command line. */
    snprintf(why, OWN_SINK_WHY_SIZE, "%s",
             complaint + (strncmp(complaint, where, strlen(where)) == 0 ? strlen(where) : 0));
    return false;
}

/* ---- open and close */

static bool own_sink_start(struct own_sink *s, char *why)
{
    char address[ADDRESS_TEXT_SIZE];
    int code;

    message_set_handler(own_sink_on_message, s);
    s->service = service_open(s->config, s->policy, &code);
    s->policy = NULL;
    if (s->service == NULL) {
        message_set_handler(NULL, NULL);
        snprintf(why, OWN_SINK_WHY_SIZE, "%s", s->said);
        return false;
    }
    if (!listener_address(service_listener(s->service), 0, address) ||
        asprintf(&s->url, "http://%s%s", address, s->config->sources[0].path) < 0)
        s->url = NULL;
    if (s->url == NULL)
        snprintf(why, OWN_SINK_WHY_SIZE, "out of memory");
    return s->url != NULL;
}

struct own_sink *own_sink_open(const struct own_sink_options *options, enum outcome *outcome,
                               char why[OWN_SINK_WHY_SIZE])
{
    struct own_sink *s = calloc(1, sizeof(*s));

    *outcome = OUTCOME_TRANSPORT;
    if (s == NULL) {
        snprintf(why, OWN_SINK_WHY_SIZE, "out of memory");
        return NULL;
    }
    pthread_mutex_init(&s->mutex, NULL);
    if (own_sink_make_folder(s, why)) {
        *outcome = OUTCOME_USAGE;
        if (own_sink_configure(s, options, why)) {
            *outcome = OUTCOME_TRANSPORT;
            if (own_sink_start(s, why))
                return s;
        }
    }
    own_sink_close(&s);
    return NULL;
}

void own_sink_close(struct own_sink **sink)
{
    struct own_sink *s = *sink;

    if (s == NULL)
        return;
    if (s->service != NULL) {
        service_close(&s->service);
        message_set_handler(NULL, NULL);
    }
    policy_release(&s->policy);
    config_free(&s->config);
    if (s->folder != NULL)
        own_sink_remove_folder(s->folder);
    pthread_mutex_destroy(&s->mutex);
    free(s->folder);
    free(s->admin);
    free(s->url);
    free(s);
    *sink = NULL;
}

const char *own_sink_admin(const struct own_sink *s)
{
    return s->admin;
}

const char *own_sink_url(const struct own_sink *s)
{
    return s->url;
}

void own_sink_explain(struct own_sink *s, char *text, size_t size)
{
    pthread_mutex_lock(&s->mutex);
    snprintf(text, size, "--listen: %s", s->said);
    pthread_mutex_unlock(&s->mutex);
}
