/* SPDX-License-Identifier: MIT */
#include "daemon/log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/line_queue.h"
#include "daemon/base/systemd.h"
#include "daemon/log/journald.h"

struct log {
    char *path; /* NULL: standard output */
    int fd;
    struct journald *journald; /* takes the lines instead of `fd`; or NULL */
    struct line_queue *lines;
};

/* O_NONBLOCK, because open() of a pipe without a reader would block, and signals with it. */
static int log_open_path(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
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

static size_t log_describe_loss(char line[LINE_QUEUE_LOSS_SIZE], uint64_t lost)
{
    return (size_t)snprintf(line, LINE_QUEUE_LOSS_SIZE, "{\"lost_lines\":%" PRIu64 "}\n", lost);
}

/* Sends the first line to the journal. A line that is too large is replaced by a lost_lines entry. */
static ssize_t log_send_line(void *data, const char *lines, size_t len)
{
    static const char lost[] = "{\"lost_lines\":1}";
    const struct log *log = data;
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

static int log_journal_descriptor(const void *data)
{
    const struct log *log = data;

    return journald_descriptor(log->journald);
}

static bool log_open_lines(struct log *log)
{
    struct line_queue_options options = {
        .fd = log->fd, .max = LOG_KEPT_MAX, .describe_loss = log_describe_loss, .data = log};

    if (log->journald != NULL) {
        options.send = log_send_line;
        options.descriptor = log_journal_descriptor;
    }
    log->lines = line_queue_open(&options);
    return log->lines != NULL;
}

struct log *log_open(const char *path)
{
    struct log *log = calloc(1, sizeof(*log));

    if (log == NULL)
        return NULL;
    log->fd = STDOUT_FILENO;
    if (strcmp(path, "-") != 0) {
        log->path = strdup(path);
        log->fd = log->path == NULL ? -1 : log_open_path(path);
    } else if (systemd_fd_is_journal(STDOUT_FILENO)) {
        log->journald = journald_open();
    }
    if (log->fd < 0 || !log_open_lines(log))
        log_close(&log);
    else if (log->path != NULL && log_ends_in_line(log->fd, path))
        line_queue_post(log->lines, "\n", 1);
    return log;
}

uint64_t log_close(struct log **log)
{
    struct log *l = *log;
    int saved = errno;
    uint64_t left;

    if (l == NULL)
        return 0;
    left = line_queue_close(&l->lines);
    if (l->path != NULL && l->fd >= 0)
        close(l->fd);
    journald_close(&l->journald);
    free(l->path);
    free(l);
    *log = NULL;
    errno = saved;
    return left;
}

void log_write(struct log *log, const char *line, size_t len)
{
    line_queue_post(log->lines, line, len);
}

void log_flush(struct log *log)
{
    line_queue_flush(log->lines);
}

bool log_has_path(const struct log *log)
{
    return log->path != NULL;
}

bool log_reopen(struct log *log)
{
    int fd = log_open_path(log->path);

    if (fd < 0)
        return false;
    /* The remaining lines go to the new file. */
    close(line_queue_redirect(log->lines, fd));
    log->fd = fd;
    return true;
}
