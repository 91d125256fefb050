/* SPDX-License-Identifier: MIT */
#include "daemon/base/line_queue.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "daemon/base/buffer.h"

enum {
    LINE_QUEUE_POLL_MS = 100,    /* longest wait for a reader between two writes */
    LINE_QUEUE_CLOSE_POLLS = 10, /* waits before line_queue_close() gives up */
};

struct line_queue {
    struct line_queue_options options; /* `fd` belongs to `writer` */
    pthread_mutex_t mutex;             /* guards the next five; no other is locked inside */
    pthread_cond_t flushed;
    struct buffer waiting;
    uint64_t lost; /* since the last line about a loss */
    uint64_t lost_ever;
    bool closing;
    pthread_mutex_t writer; /* held while writing; locked before `mutex`; guards the rest */
    struct buffer writing;
    size_t written; /* of `writing` */
    mode_t kind;    /* of the descriptor: S_IFREG and so on */
    pthread_t thread;
    bool has_thread;
};

/* ---- queue */

/* Appends all of the bytes or none. Clears the buffer's failure, because later lines may fit. */
static bool line_queue_keep(struct buffer *lines, const char *bytes, size_t len)
{
    bool good = buffer_append(lines, bytes, len);

    if (!good)
        buffer_truncate(lines, lines->len);
    return good;
}

/* Puts the loss in its place: after the kept lines, which line_queue_swap() has taken. */
static void line_queue_append_loss(struct line_queue *q)
{
    char line[LINE_QUEUE_LOSS_SIZE];
    size_t len;

    if (q->lost == 0 || q->waiting.len > 0)
        return;
    len = q->options.describe_loss(line, q->lost);
    if (line_queue_keep(&q->waiting, line, len))
        q->lost = 0;
}

void line_queue_post(struct line_queue *q, const char *line, size_t len)
{
    pthread_mutex_lock(&q->mutex);
    line_queue_append_loss(q); /* line_queue_swap() may have lacked memory for it */
    if (q->lost > 0 || !line_queue_keep(&q->waiting, line, len)) {
        q->lost++;
        q->lost_ever++;
    }
    pthread_mutex_unlock(&q->mutex);
}

uint64_t line_queue_lost(struct line_queue *q)
{
    uint64_t lost;

    pthread_mutex_lock(&q->mutex);
    lost = q->lost_ever;
    pthread_mutex_unlock(&q->mutex);
    return lost;
}

/* ---- writing without blocking; 0: there is no room for now, -1: errno */

/* Returns the length of a piece that a pipe takes whole, up to a line end if there is one: the lines
 * of another writer to the same pipe come between pieces. */
static size_t line_queue_piece(const char *lines, size_t len)
{
    const char *end = len <= PIPE_BUF ? NULL : memrchr(lines, '\n', PIPE_BUF);

    if (len <= PIPE_BUF)
        return len;
    return end == NULL ? PIPE_BUF : (size_t)(end + 1 - lines);
}

/* Linux before 6.4, and terminals, know no RWF_NOWAIT. There a piece fits after POLLOUT, unless
 * another writer to the same pipe is faster. O_NONBLOCK would also affect other processes. */
static ssize_t line_queue_write_piece(int fd, const char *lines, size_t len)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    struct iovec piece = {(void *)(uintptr_t)lines, line_queue_piece(lines, len)};
    ssize_t n = pwritev2(fd, &piece, 1, -1, RWF_NOWAIT);

    if (n >= 0 || errno == EAGAIN || errno == EINTR || errno == EPIPE)
        return n;
    return poll(&ready, 1, 0) == 0 ? 0 : write(fd, lines, piece.iov_len);
}

static ssize_t line_queue_write_some(struct line_queue *q, const char *lines, size_t len)
{
    ssize_t n;

    if (q->options.send != NULL)
        return q->options.send(q->options.data, lines, len);
    if (S_ISSOCK(q->kind))
        n = send(q->options.fd, lines, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    else if (S_ISREG(q->kind))
        n = write(q->options.fd, lines, len);
    else
        n = line_queue_write_piece(q->options.fd, lines, len);
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : n;
}

/* Takes the queued lines once the previous ones are written. Returns false if there are none. */
static bool line_queue_swap(struct line_queue *q)
{
    struct buffer empty = q->writing;

    if (q->written < q->writing.len)
        return true;
    buffer_truncate(&empty, 0);
    pthread_mutex_lock(&q->mutex);
    q->writing = q->waiting;
    q->waiting = empty;
    line_queue_append_loss(q);
    pthread_mutex_unlock(&q->mutex);
    q->written = 0;
    return q->writing.len > 0;
}

/* Returns 1 if all lines are written, 0 if there is no room for now, -1 with errno. */
static int line_queue_write_locked(struct line_queue *q)
{
    while (line_queue_swap(q)) {
        ssize_t n =
            line_queue_write_some(q, q->writing.base + q->written, q->writing.len - q->written);

        if (n <= 0)
            return (int)n;
        q->written += (size_t)n;
    }
    return 1;
}

static int line_queue_write(struct line_queue *q)
{
    int result;

    pthread_mutex_lock(&q->writer);
    result = line_queue_write_locked(q);
    pthread_mutex_unlock(&q->writer);
    return result;
}

void line_queue_flush(struct line_queue *q)
{
    if (q->has_thread)
        pthread_cond_signal(&q->flushed);
    else
        line_queue_write(q);
}

/* Takes over the descriptor. */
static void line_queue_use(struct line_queue *q, int fd)
{
    struct stat st;

    q->options.fd = fd;
    q->kind = fstat(fd, &st) == 0 ? st.st_mode & S_IFMT : 0;
}

int line_queue_redirect(struct line_queue *q, int fd)
{
    int old;

    pthread_mutex_lock(&q->writer);
    line_queue_write_locked(q);
    while (q->written > 0 && q->written < q->writing.len && q->writing.base[q->written - 1] != '\n')
        q->written--;
    old = q->options.fd;
    line_queue_use(q, fd);
    pthread_mutex_unlock(&q->writer);
    return old;
}

/* ---- last words of a dying process */

static void line_queue_write_rest(struct line_queue *q, const char *lines, size_t len)
{
    ssize_t n;

    while (len > 0 && (n = line_queue_write_some(q, lines, len)) > 0) {
        lines += n;
        len -= (size_t)n;
    }
}

/* Takes the locks only if they are free, and keeps them: otherwise the thread is writing. */
void line_queue_write_last(struct line_queue *q, const char *line, size_t len)
{
    if (pthread_mutex_trylock(&q->writer) == 0 && pthread_mutex_trylock(&q->mutex) == 0) {
        line_queue_write_rest(q, q->writing.base + q->written, q->writing.len - q->written);
        line_queue_write_rest(q, q->waiting.base, q->waiting.len);
    }
    line_queue_write_rest(q, line, len);
}

/* ---- thread */

/* Waits for queued lines. Returns false if the queue closes without any. */
static bool line_queue_wait_for_lines(struct line_queue *q)
{
    bool more;

    pthread_mutex_lock(&q->mutex);
    while (q->waiting.len == 0 && !q->closing)
        pthread_cond_wait(&q->flushed, &q->mutex);
    more = q->waiting.len > 0;
    pthread_mutex_unlock(&q->mutex);
    return more;
}

/* After a failed write (`refused`) only sleeps, because poll() would return at once. */
static void line_queue_wait_for_room(struct line_queue *q, bool refused)
{
    struct pollfd ready = {.fd = -1, .events = POLLOUT};

    pthread_mutex_lock(&q->writer);
    if (!refused)
        ready.fd = q->options.send != NULL ? q->options.descriptor(q->options.data) : q->options.fd;
    pthread_mutex_unlock(&q->writer);
    poll(&ready, 1, LINE_QUEUE_POLL_MS);
}

static bool line_queue_is_closing(struct line_queue *q)
{
    bool closing;

    pthread_mutex_lock(&q->mutex);
    closing = q->closing;
    pthread_mutex_unlock(&q->mutex);
    return closing;
}

static void *line_queue_run(void *data)
{
    struct line_queue *q = data;

    for (int polls = 0; polls < LINE_QUEUE_CLOSE_POLLS;) {
        int result = line_queue_write(q);

        if (result > 0 && !line_queue_wait_for_lines(q))
            break;
        if (result <= 0) {
            line_queue_wait_for_room(q, result < 0);
            polls += line_queue_is_closing(q);
        }
    }
    return NULL;
}

/* ---- open and close */

static bool line_queue_start(struct line_queue *q)
{
    line_queue_use(q, q->options.fd);
    if (S_ISREG(q->kind) && q->options.send == NULL)
        return true;
    errno = pthread_create(&q->thread, NULL, line_queue_run, q);
    q->has_thread = errno == 0;
    return q->has_thread;
}

static void line_queue_free(struct line_queue **queue)
{
    struct line_queue *q = *queue;
    int saved = errno;

    pthread_cond_destroy(&q->flushed);
    pthread_mutex_destroy(&q->mutex);
    pthread_mutex_destroy(&q->writer);
    buffer_free(&q->waiting);
    buffer_free(&q->writing);
    free(q);
    *queue = NULL;
    errno = saved;
}

struct line_queue *line_queue_open(const struct line_queue_options *options)
{
    struct line_queue *q = calloc(1, sizeof(*q));

    if (q == NULL)
        return NULL;
    q->options = *options;
    pthread_mutex_init(&q->mutex, NULL);
    pthread_mutex_init(&q->writer, NULL);
    pthread_cond_init(&q->flushed, NULL);
    q->waiting.max = q->writing.max = options->max;
    if (!line_queue_start(q))
        line_queue_free(&q);
    return q;
}

static void line_queue_finish(struct line_queue *q)
{
    if (!q->has_thread) {
        line_queue_write(q);
        return;
    }
    pthread_mutex_lock(&q->mutex);
    q->closing = true;
    pthread_cond_signal(&q->flushed);
    pthread_mutex_unlock(&q->mutex);
    pthread_join(q->thread, NULL);
}

static uint64_t line_queue_count(const struct buffer *lines, size_t from)
{
    uint64_t count = 0;

    for (size_t i = from; i < lines->len; i++)
        count += lines->base[i] == '\n';
    return count;
}

uint64_t line_queue_close(struct line_queue **queue)
{
    struct line_queue *q = *queue;
    uint64_t left;

    if (q == NULL)
        return 0;
    line_queue_finish(q);
    left = line_queue_count(&q->writing, q->written) + line_queue_count(&q->waiting, 0) + q->lost;
    line_queue_free(queue);
    return left;
}
