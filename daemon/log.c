/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct log {
    pthread_mutex_t mutex; /* a leaf: nothing is called while it is held but the kernel */
    char *path;            /* NULL: standard output */
    int fd;
    bool torn; /* the last line was not written whole */
};

static int open_path(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

struct log *log_open(const char *path)
{
    struct log *log = calloc(1, sizeof(*log));

    if (log == NULL)
        return NULL;
    pthread_mutex_init(&log->mutex, NULL);
    log->fd = STDOUT_FILENO;
    if (strcmp(path, "-") != 0) {
        log->path = strdup(path);
        log->fd = log->path == NULL ? -1 : open_path(path);
    }
    if (log->fd < 0)
        log_close(&log);
    return log;
}

void log_close(struct log **log)
{
    int saved = errno;

    if (*log == NULL)
        return;
    if ((*log)->path != NULL && (*log)->fd >= 0)
        close((*log)->fd);
    pthread_mutex_destroy(&(*log)->mutex);
    free((*log)->path);
    free(*log);
    *log = NULL;
    errno = saved;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);

        if (n >= 0) {
            bytes += n;
            len -= (size_t)n;
        } else if (errno == EAGAIN) {
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool log_write(struct log *log, const char *line, size_t len)
{
    bool whole;

    pthread_mutex_lock(&log->mutex);
    whole = (!log->torn || write_all(log->fd, "\n", 1)) && write_all(log->fd, line, len);
    log->torn = !whole;
    pthread_mutex_unlock(&log->mutex);
    return whole;
}

bool log_reopen(struct log *log)
{
    int fd, old;

    if (log->path == NULL)
        return true;
    if ((fd = open_path(log->path)) < 0)
        return false;
    pthread_mutex_lock(&log->mutex);
    old = log->fd;
    log->fd = fd;
    log->torn = false;
    pthread_mutex_unlock(&log->mutex);
    close(old);
    return true;
}
