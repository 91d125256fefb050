/* SPDX-License-Identifier: MIT */
#include "daemon/log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/buffer.h"
#include "daemon/base/systemd.h"
#include "daemon/log/journald.h"

enum {
    LOG_POLL_MS = 100,    /* longest wait for a reader between two writes */
    LOG_CLOSE_POLLS = 10, /* waits before log_close() gives up */
};

struct log {
    char *path;            /* NULL: standard output */
    pthread_mutex_t mutex; /* guards the next four; no other is locked inside */
    pthread_cond_t flushed;
    struct buffer waiting;
    unsigned long lost;
    bool closing;
    pthread_mutex_t writer; /* held while writing; locked before `mutex`; guards the rest */
    struct buffer writing;
    size_t written; /* of `writing` */
    int fd;
    mode_t kind;               /* S_IFREG and so on */
    struct journald *journald; /* takes the lines instead of `fd`; or NULL */
    pthread_t thread;
    bool has_thread;
};

/* O_NONBLOCK, because open() of a pipe without a reader would block, and signals with it. */
static int log_open_path(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
}

static mode_t log_file_type(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 ? st.st_mode & S_IFMT : 0;
}

/* True if a previous process was killed in the middle of a line. */
static bool log_ends_in_line(int fd, const char *path)
{
    struct stat st;
    char last = '\n';
    int input;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
        return false;
    if ((input = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) < 0)
        return false;
    if (pread(input, &last, 1, st.st_size - 1) != 1)
        last = '\n';
    close(input);
    return last != '\n';
}

/* Appends all of the bytes or none. Clears the buffer's failure, because later lines may fit. */
static bool log_keep(struct buffer *lines, const char *bytes, size_t len)
{
    bool good = buffer_append(lines, bytes, len);

    if (!good)
        buffer_truncate(lines, lines->len);
    return good;
}

/* Puts the loss in its place: after the kept lines, which log_swap_buffers() has taken. */
static void log_append_loss(struct log *log)
{
    char text[64];
    int len;

    if (log->lost == 0 || log->waiting.len > 0)
        return;
    len = snprintf(text, sizeof(text), "{\"lost_lines\":%lu}\n", log->lost);
    if (log_keep(&log->waiting, text, (size_t)len))
        log->lost = 0;
}

void log_write(struct log *log, const char *line, size_t len)
{
    pthread_mutex_lock(&log->mutex);
    log_append_loss(log); /* log_swap_buffers() may have lacked memory for it */
    if (log->lost > 0 || !log_keep(&log->waiting, line, len))
        log->lost++;
    pthread_mutex_unlock(&log->mutex);
}

/* Sends the first line to the journal. A line that is too large is replaced by a lost_lines entry.
 * Returns like log_write_some(). */
static ssize_t log_send_line(const struct log *log, const char *lines, size_t len)
{
    static const char lost[] = "{\"lost_lines\":1}";
    const char *end = memchr(lines, '\n', len);
    int taken;

    journald_set_line(log->journald, lines, (size_t)(end - lines));
    taken = journald_send(log->journald);
    if (taken < 0 && errno == EMSGSIZE) {
        journald_set_line(log->journald, lost, sizeof(lost) - 1);
        taken = journald_send(log->journald);
    }
    return taken > 0 ? end + 1 - lines : taken;
}

/* Writes without blocking. Returns the bytes written, 0 if there is no room, -1 with errno. */
static ssize_t log_write_some(const struct log *log, const char *bytes, size_t len)
{
    struct pollfd ready = {.fd = log->fd, .events = POLLOUT};
    ssize_t n;

    if (log->journald != NULL)
        return log_send_line(log, bytes, len);
    if (S_ISSOCK(log->kind)) {
        n = send(log->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    } else {
        if (!S_ISREG(log->kind)) {
            if (poll(&ready, 1, 0) == 0)
                return 0;
            /* After POLLOUT a pipe takes PIPE_BUF bytes without blocking. */
            if (len > PIPE_BUF)
                len = PIPE_BUF;
        }
        n = write(log->fd, bytes, len);
    }
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : n;
}

/* Takes the queued lines once the previous ones are written. Returns false if there are none. */
static bool log_swap_buffers(struct log *log)
{
    struct buffer empty = log->writing;

    if (log->written < log->writing.len)
        return true;
    buffer_truncate(&empty, 0);
    pthread_mutex_lock(&log->mutex);
    log->writing = log->waiting;
    log->waiting = empty;
    log_append_loss(log);
    pthread_mutex_unlock(&log->mutex);
    log->written = 0;
    return log->writing.len > 0;
}

/* Returns 1 if all lines are written, 0 if there is no room for now, -1 with errno. */
static int log_write_buffers(struct log *log)
{
    while (log_swap_buffers(log)) {
        ssize_t n =
            log_write_some(log, log->writing.base + log->written, log->writing.len - log->written);

        if (n <= 0)
            return (int)n;
        log->written += (size_t)n;
    }
    return 1;
}

static int log_write_waiting(struct log *log)
{
    int result;

    pthread_mutex_lock(&log->writer);
    result = log_write_buffers(log);
    pthread_mutex_unlock(&log->writer);
    return result;
}

void log_flush(struct log *log)
{
    if (log->has_thread)
        pthread_cond_signal(&log->flushed);
    else
        log_write_waiting(log);
}

/* Waits for queued lines. Returns false if the log closes without any. */
static bool log_wait_for_lines(struct log *log)
{
    bool more;

    pthread_mutex_lock(&log->mutex);
    while (log->waiting.len == 0 && !log->closing)
        pthread_cond_wait(&log->flushed, &log->mutex);
    more = log->waiting.len > 0;
    pthread_mutex_unlock(&log->mutex);
    return more;
}

/* After a failed write (`refused`) only sleeps, because poll() would return at once. */
static void log_wait_for_reader(struct log *log, bool refused)
{
    struct pollfd ready = {.fd = -1, .events = POLLOUT};

    pthread_mutex_lock(&log->writer);
    if (!refused)
        ready.fd = log->journald != NULL ? journald_descriptor(log->journald) : log->fd;
    pthread_mutex_unlock(&log->writer);
    poll(&ready, 1, LOG_POLL_MS);
}

static bool log_is_closing(struct log *log)
{
    bool closing;

    pthread_mutex_lock(&log->mutex);
    closing = log->closing;
    pthread_mutex_unlock(&log->mutex);
    return closing;
}

static void *log_run(void *data)
{
    struct log *log = data;

    for (int turns = 0; turns < LOG_CLOSE_POLLS;) {
        int result = log_write_waiting(log);

        if (result > 0 && !log_wait_for_lines(log))
            break;
        if (result <= 0) {
            log_wait_for_reader(log, result < 0);
            turns += log_is_closing(log);
        }
    }
    return NULL;
}

static bool log_start(struct log *log, const char *path)
{
    if (log->fd < 0)
        return false;
    log->kind = log_file_type(log->fd);
    if (log->path != NULL && log_ends_in_line(log->fd, path))
        log_keep(&log->waiting, "\n", 1);
    if (S_ISREG(log->kind) && log->journald == NULL)
        return true;
    errno = pthread_create(&log->thread, NULL, log_run, log);
    log->has_thread = errno == 0;
    return log->has_thread;
}

struct log *log_open(const char *path)
{
    struct log *log = calloc(1, sizeof(*log));

    if (log == NULL)
        return NULL;
    pthread_mutex_init(&log->mutex, NULL);
    pthread_mutex_init(&log->writer, NULL);
    pthread_cond_init(&log->flushed, NULL);
    log->waiting.max = log->writing.max = LOG_KEPT_MAX;
    log->fd = STDOUT_FILENO;
    if (strcmp(path, "-") != 0) {
        log->path = strdup(path);
        log->fd = log->path == NULL ? -1 : log_open_path(path);
    } else if (systemd_fd_is_journal(STDOUT_FILENO)) {
        log->journald = journald_open();
    }
    if (!log_start(log, path))
        log_close(&log);
    return log;
}

static void log_finish(struct log *log)
{
    if (!log->has_thread) {
        if (log->fd >= 0)
            log_write_waiting(log);
        return;
    }
    pthread_mutex_lock(&log->mutex);
    log->closing = true;
    pthread_cond_signal(&log->flushed);
    pthread_mutex_unlock(&log->mutex);
    pthread_join(log->thread, NULL);
}

static unsigned long log_count_lines(const struct buffer *lines, size_t from)
{
    unsigned long count = 0;

    for (size_t i = from; i < lines->len; i++)
        count += lines->base[i] == '\n';
    return count;
}

unsigned long log_close(struct log **log)
{
    struct log *l = *log;
    int saved = errno;
    unsigned long left;

    if (l == NULL)
        return 0;
    log_finish(l);
    left = log_count_lines(&l->writing, l->written) + log_count_lines(&l->waiting, 0) + l->lost;
    if (l->path != NULL && l->fd >= 0)
        close(l->fd);
    pthread_cond_destroy(&l->flushed);
    pthread_mutex_destroy(&l->mutex);
    pthread_mutex_destroy(&l->writer);
    journald_close(&l->journald);
    buffer_free(&l->waiting);
    buffer_free(&l->writing);
    free(l->path);
    free(l);
    *log = NULL;
    errno = saved;
    return left;
}

bool log_has_path(const struct log *log)
{
    return log->path != NULL;
}

bool log_reopen(struct log *log)
{
    int fd, old;

    if ((fd = log_open_path(log->path)) < 0)
        return false;
    pthread_mutex_lock(&log->writer);
    log_write_buffers(log);
    /* The remaining lines go to the new file; a partly written line is repeated whole. */
    while (log->written > 0 && log->written < log->writing.len &&
           log->writing.base[log->written - 1] != '\n')
        log->written--;
    old = log->fd;
    log->fd = fd;
    log->kind = log_file_type(fd);
    pthread_mutex_unlock(&log->writer);
    close(old);
    return true;
}
