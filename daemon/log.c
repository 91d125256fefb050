/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct log {
    pthread_mutex_t mutex; /* a leaf: nothing is called while it is held but the kernel */
    char *path;            /* NULL: standard output */
    int fd;
    bool torn; /* the file ends in the middle of a line */
};

static int open_path(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

/* Somebody was interrupted here: us, before SIGHUP, or the one before us. */
static bool is_torn(int fd, const char *path)
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
    else if (log->path != NULL)
        log->torn = is_torn(log->fd, path);
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

static bool write_all(struct log *log, const char *bytes, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = write(log->fd, bytes + done, len - done);

        if (n > 0) {
            done += (size_t)n;
            log->torn = bytes[done - 1] != '\n';
        } else if (n < 0 && errno == EAGAIN) {
            poll(&(struct pollfd){.fd = log->fd, .events = POLLOUT}, 1, -1);
        } else if (n < 0 && errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool log_write(struct log *log, const char *line, size_t len)
{
    bool whole;

    pthread_mutex_lock(&log->mutex);
    whole = (!log->torn || write_all(log, "\n", 1)) && write_all(log, line, len);
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
    log->torn = is_torn(fd, log->path);
    pthread_mutex_unlock(&log->mutex);
    close(old);
    return true;
}
