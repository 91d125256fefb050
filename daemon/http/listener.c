/* SPDX-License-Identifier: MIT */
#include "daemon/http/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <h2o.h>

#include "daemon/base/clock.h"
#include "daemon/base/heartbeat.h"
#include "daemon/base/net.h"
#include "daemon/base/limit.h"

/* ---- Unix sockets */

enum {
    UNIX_SOCKET_MODE = 0660
};

/* Socket file of a listening socket, for removal. The descriptor is separate. */
struct unix_socket {
    char *path;
    dev_t device;
    ino_t number;
};

/* Returns 0 if no process listens there, else an errno. On EACCES a process might listen. */
static int unix_socket_in_use(const struct sockaddr_un *address)
{
    int error, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return errno;
    error = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ? 0 : errno;
    close(fd);
    if (error == ECONNREFUSED)
        return 0;
    return error == EACCES ? EACCES : EADDRINUSE;
}

static bool unix_socket_clear_path(const struct sockaddr_un *address)
{
    struct stat st;

    if (lstat(address->sun_path, &st) != 0)
        return errno == ENOENT;
    errno = S_ISSOCK(st.st_mode) ? unix_socket_in_use(address) : EEXIST;
    return errno == 0 && unlink(address->sun_path) == 0;
}

/* fchmod() before bind(), so that the file is never more open; chmod() after, because the umask
 * may be stricter. */
static bool unix_socket_bind(int fd, const struct sockaddr_un *address)
{
    return fchmod(fd, UNIX_SOCKET_MODE) == 0 &&
           bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 &&
           chmod(address->sun_path, UNIX_SOCKET_MODE) == 0 && listen(fd, SOMAXCONN) == 0;
}

static struct unix_socket *unix_socket_note_file(const char *path)
{
    struct unix_socket *s = calloc(1, sizeof(*s));
    struct stat st;

    if (s == NULL || (s->path = strdup(path)) == NULL || lstat(path, &st) != 0) {
        if (s != NULL)
            free(s->path);
        free(s);
        return NULL;
    }
    s->device = st.st_dev;
    s->number = st.st_ino;
    return s;
}

/* Binds a Unix socket, replacing the file of a dead process. Returns NULL with errno: EADDRINUSE
 * if a process listens there, EEXIST if the file is not a socket. */
static struct unix_socket *unix_socket_open(const struct sockaddr_storage *address, int *fd)
{
    const struct sockaddr_un *local = (const struct sockaddr_un *)address;
    struct unix_socket *s = NULL;
    int saved;

    if (!unix_socket_clear_path(local))
        return NULL;
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd >= 0 && unix_socket_bind(*fd, local))
        s = unix_socket_note_file(local->sun_path);
    if (s == NULL && *fd >= 0) {
        saved = errno;
        close(*fd);
        errno = saved;
    }
    return s;
}

/* Removes the file, unless another one has replaced it. */
static void unix_socket_remove(struct unix_socket **socket)
{
    struct unix_socket *s = *socket;
    struct stat st;

    if (s == NULL)
        return;
    if (lstat(s->path, &st) == 0 && st.st_dev == s->device && st.st_ino == s->number)
        unlink(s->path);
    free(s->path);
    free(s);
    *socket = NULL;
}

/* ---- listener */

enum {
    SWEEP_MS = 1000,
    DRAIN_MS = 20,
    ACCEPTS_AT_ONCE = 32, /* per turn, so that open connections get their share */
};

struct listener_worker {
    struct listener *listener;
    pthread_t thread;
    h2o_context_t ctx;
    h2o_accept_ctx_t accept;
    h2o_multithread_receiver_t wake_up;
    h2o_multithread_message_t stop_message, limit_message;
    sem_t limited;   /* posted after a turn with the new limits */
    sem_t ready;     /* posted when the loop can receive messages */
    sem_t stop_sent; /* posted when no thread touches the queue any more */
    int fd[LISTENER_SOCKETS_MAX];
    h2o_socket_t *sockets[LISTENER_SOCKETS_MAX];
    struct connection_set *connections;
    struct heartbeat *heartbeat;
    bool stopping, limiting; /* of the worker's thread only */
    unsigned cut;
};

struct listener {
    struct listener_options options;
    h2o_globalconf_t config;
    int fd[LISTENER_SOCKETS_MAX];
    struct unix_socket *files[LISTENER_SOCKETS_MAX]; /* NULL: not a Unix socket of ours */
    const struct handshake_config *handshakes[LISTENER_SOCKETS_MAX];
    size_t fds;
    pthread_mutex_t config_mutex; /* guards `config` while a context is created or disposed */
    struct connection_counts counts;
    unsigned drain_s; /* set before the stop messages */
    unsigned started;
    struct listener_worker *workers;
};

struct listener *listener_new(const struct listener_options *options)
{
    struct listener *l = calloc(1, sizeof(*l));
    h2o_hostconf_t *host;

    if (l == NULL || (l->workers = calloc(options->threads, sizeof(*l->workers))) == NULL) {
        free(l);
        return NULL;
    }
    if ((l->counts.conn_count = conn_count_new()) == NULL) {
        free(l->workers);
        free(l);
        return NULL;
    }
    l->options = *options;
    pthread_mutex_init(&l->config_mutex, NULL);
    h2o_config_init(&l->config);
    host = h2o_config_register_host(&l->config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    options->setup(options->data, &host->fallback_path);
    return l;
}

static int listener_bind(const struct sockaddr_storage *address, socklen_t len)
{
    const int on = 1;
    int saved, fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        (address->ss_family != AF_INET6 ||
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0) &&
        bind(fd, (const struct sockaddr *)address, len) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

bool listener_add(struct listener *l, const char *text)
{
    struct sockaddr_storage address;
    socklen_t len;
    int fd;

    errno = EINVAL;
    if (l->fds == LISTENER_SOCKETS_MAX || !address_read(text, &address, &len))
        return false;
    if (address.ss_family == AF_UNIX) {
        if ((l->files[l->fds] = unix_socket_open(&address, &fd)) == NULL)
            return false;
    } else if ((fd = listener_bind(&address, len)) < 0) {
        return false;
    }
    l->fd[l->fds++] = fd;
    return true;
}

bool listener_adopt(struct listener *l, int fd)
{
    int type = 0, listens = 0, flags = fcntl(fd, F_GETFL);
    socklen_t len = sizeof(int);

    if (flags < 0 || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) != 0)
        return false;
    errno = EINVAL;
    if (l->fds == LISTENER_SOCKETS_MAX || type != SOCK_STREAM || !listens)
        return false;
    if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return false;
    l->fd[l->fds++] = fd;
    return true;
}

void listener_set_handshake(struct listener *l, size_t n, const struct handshake_config *handshake)
{
    l->handshakes[n] = handshake;
}

bool listener_address(const struct listener *l, size_t n, char *text)
{
    struct sockaddr_storage bound;
    socklen_t len = sizeof(bound);

    if (n >= l->fds || getsockname(l->fd[n], (struct sockaddr *)&bound, &len) != 0)
        return false;
    address_write(&bound, text);
    return true;
}

/* Returns true if accept() will keep failing for a while. A retry at once would spin. */
static bool listener_is_exhausted(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void listener_on_accept(h2o_socket_t *listening, const char *err)
{
    struct listener_worker *w = listening->data;
    h2o_socket_t *sock;
    size_t n = 0;

    while (w->sockets[n] != listening)
        n++;
    for (int i = 0; err == NULL && i < ACCEPTS_AT_ONCE; i++) {
        if ((sock = h2o_evloop_socket_accept(listening)) == NULL) {
            if (listener_is_exhausted(errno))
                h2o_socket_read_stop(listening);
            break;
        }
        connection_begin(w->connections, sock, w->listener->handshakes[n]);
    }
}

static void listener_accept_again(struct listener_worker *w)
{
    for (size_t i = 0; i < w->listener->fds; i++)
        if (!h2o_socket_is_reading(w->sockets[i]))
            h2o_socket_read_start(w->sockets[i], listener_on_accept);
}

static void listener_worker_begin_stop(struct listener_worker *w)
{
    if (w->stopping)
        return;
    w->stopping = true;
    for (size_t i = 0; i < w->listener->fds; i++)
        h2o_socket_close(w->sockets[i]);
    /* Answers carry "Connection: close" from now on. h2o_context_request_shutdown() would also
     * start an HTTP/2 timer that outlives the loop. */
    w->ctx.shutdown_requested = 1;
}

static void listener_worker_begin_limit(struct listener_worker *w)
{
    connection_set_limit(w->connections, &w->listener->options.limits);
    w->limiting = true;
}

static void listener_worker_on_message(h2o_multithread_receiver_t *receiver,
                                       h2o_linklist_t *messages)
{
    struct listener_worker *w = H2O_STRUCT_FROM_MEMBER(struct listener_worker, wake_up, receiver);

    while (!h2o_linklist_is_empty(messages)) {
        h2o_linklist_t *message = messages->next;

        h2o_linklist_unlink(message);
        if (message == &w->limit_message.link)
            listener_worker_begin_limit(w);
        else
            listener_worker_begin_stop(w);
    }
}

static void listener_worker_turn(struct listener_worker *w, int wait_ms)
{
    const struct listener_options *options = &w->listener->options;

    h2o_evloop_run(w->ctx.loop, wait_ms);
    connection_turn(w->connections);
    if (options->turn != NULL)
        options->turn(options->data, &w->ctx);
    heartbeat_beat(w->heartbeat);
    if (w->limiting)
        sem_post(&w->limited);
    w->limiting = false;
}

static void listener_worker_serve(struct listener_worker *w)
{
    int64_t swept_us = clock_mono_us();

    while (!w->stopping) {
        listener_worker_turn(w, SWEEP_MS);
        if (clock_mono_us() - swept_us >= SWEEP_MS * 1000) {
            connection_sweep(w->connections, false);
            if (!w->stopping)
                listener_accept_again(w);
            swept_us = clock_mono_us();
        }
    }
}

static void listener_worker_drain(struct listener_worker *w)
{
    int64_t until_us = clock_mono_us() + (int64_t)w->listener->drain_s * 1000000;

    while (connection_set_size(w->connections) > 0 && clock_mono_us() < until_us) {
        connection_sweep(w->connections, true);
        listener_worker_turn(w, DRAIN_MS);
    }
    w->cut = connection_set_size(w->connections);
    connection_set_cut(w->connections);
    for (int turns = 0; turns < 10 && connection_set_size(w->connections) > 0; turns++)
        listener_worker_turn(w, DRAIN_MS);
}

/* Runs on the loop's thread, because libh2o returns socket memory to the thread that allocated
 * it, without a lock. */
static void listener_worker_open(struct listener_worker *w)
{
    struct listener *l = w->listener;

    pthread_mutex_lock(&l->config_mutex);
    h2o_context_init(&w->ctx, h2o_evloop_create(), &l->config);
    pthread_mutex_unlock(&l->config_mutex);
    h2o_multithread_register_receiver(w->ctx.queue, &w->wake_up, listener_worker_on_message);
    w->accept = (h2o_accept_ctx_t){.ctx = &w->ctx, .hosts = l->config.hosts};
    w->connections = connection_set_new(&(struct connection_options){
        .accept = &w->accept,
        .limits = l->options.limits,
        .proxies = l->options.proxies,
        .counts = &l->counts,
        .data = l->options.data,
        .answer_head = l->options.answer_head,
        .refuse = l->options.refuse,
    });
    for (size_t i = 0; i < l->fds; i++) {
        w->sockets[i] = h2o_evloop_socket_create(w->ctx.loop, w->fd[i], H2O_SOCKET_FLAG_DONT_READ);
        w->sockets[i]->data = w;
        h2o_socket_read_start(w->sockets[i], listener_on_accept);
    }
}

static void listener_worker_close(struct listener_worker *w)
{
    h2o_multithread_unregister_receiver(w->ctx.queue, &w->wake_up);
    pthread_mutex_lock(&w->listener->config_mutex);
    h2o_context_dispose(&w->ctx);
    pthread_mutex_unlock(&w->listener->config_mutex);
    h2o_evloop_destroy(w->ctx.loop);
    connection_set_free(&w->connections);
}

static void *listener_worker_run(void *data)
{
    struct listener_worker *w = data;

    listener_worker_open(w);
    sem_post(&w->ready);
    listener_worker_serve(w);
    listener_worker_drain(w);
    while (sem_wait(&w->stop_sent) != 0)
        ;
    listener_worker_close(w);
    return NULL;
}

static bool listener_worker_copy_fds(struct listener_worker *w, const struct listener *l)
{
    for (size_t i = 0; i < l->fds; i++)
        if ((w->fd[i] = fcntl(l->fd[i], F_DUPFD_CLOEXEC, 0)) < 0)
            return false;
    return true;
}

bool listener_start(struct listener *l)
{
    for (; l->started < l->options.threads; l->started++) {
        struct listener_worker *w = &l->workers[l->started];

        w->listener = l;
        w->heartbeat = heartbeat_begin(l->options.heartbeats, l->options.name);
        if (!listener_worker_copy_fds(w, l) || sem_init(&w->ready, 0, 0) != 0 ||
            sem_init(&w->stop_sent, 0, 0) != 0 || sem_init(&w->limited, 0, 0) != 0)
            return false;
        if ((errno = pthread_create(&w->thread, NULL, listener_worker_run, w)) != 0)
            return false;
        while (sem_wait(&w->ready) != 0)
            ;
    }
    return true;
}

const char *listener_problem(int error)
{
    switch (error) {
    case EADDRINUSE:
        return "address already in use";
    case EEXIST:
        return "the file exists and is not a socket";
    case EINVAL:
        return "expected ADDRESS:PORT, [ADDRESS]:PORT or unix:PATH";
    default:
        return strerror(error);
    }
}

void listener_limit(struct listener *l, const struct connection_limits *limits)
{
    l->options.limits = *limits;
    for (unsigned i = 0; i < l->started; i++)
        h2o_multithread_send_message(&l->workers[i].wake_up, &l->workers[i].limit_message);
    for (unsigned i = 0; i < l->started; i++)
        while (sem_wait(&l->workers[i].limited) != 0)
            ;
}

unsigned listener_stop(struct listener *l, unsigned seconds)
{
    unsigned cut = 0;

    for (size_t i = 0; i < l->fds; i++) {
        close(l->fd[i]);
        unix_socket_remove(&l->files[i]);
    }
    l->drain_s = seconds;
    /* libh2o queues the message before it wakes the loop, so the loop may end meanwhile:
     * `stop_sent` holds it back. */
    for (unsigned i = 0; i < l->started; i++) {
        h2o_multithread_send_message(&l->workers[i].wake_up, &l->workers[i].stop_message);
        sem_post(&l->workers[i].stop_sent);
    }
    for (unsigned i = 0; i < l->started; i++) {
        pthread_join(l->workers[i].thread, NULL);
        cut += l->workers[i].cut;
    }
    return cut;
}

unsigned listener_connections(const struct listener *l)
{
    return atomic_load_explicit(&l->counts.open, memory_order_relaxed);
}

size_t listener_request_bytes(const struct listener *l)
{
    return atomic_load_explicit(&l->counts.bodies, memory_order_relaxed);
}

uint64_t listener_ended(const struct listener *l, enum connection_end end)
{
    return atomic_load_explicit(&l->counts.ended[end], memory_order_relaxed);
}

uint64_t listener_refused(const struct listener *l, enum handshake_verdict verdict)
{
    return atomic_load_explicit(&l->counts.refused[verdict], memory_order_relaxed);
}

static void listener_worker_end(struct listener_worker *w)
{
    heartbeat_end(w->heartbeat);
    sem_destroy(&w->ready);
    sem_destroy(&w->limited);
    sem_destroy(&w->stop_sent);
}

void listener_free(struct listener **listener)
{
    struct listener *l = *listener;

    for (unsigned i = 0; l != NULL && i < l->started; i++)
        listener_worker_end(&l->workers[i]);
    if (l != NULL) {
        h2o_config_dispose(&l->config);
        pthread_mutex_destroy(&l->config_mutex);
        conn_count_free(&l->counts.conn_count);
        free(l->workers);
    }
    free(l);
    *listener = NULL;
}
