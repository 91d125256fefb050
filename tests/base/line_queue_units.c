/* SPDX-License-Identifier: MIT
 *
 * The queue of lines before a pipe, a socket or a file: order, loss, redirection and the end.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/base/line_queue.h"
#include "tests/run.h"

enum {
    KEPT = 8192,
    TEXT_SIZE = 1 << 20,
};

static size_t describe_loss(char line[LINE_QUEUE_LOSS_SIZE], uint64_t lost)
{
    return (size_t)snprintf(line, LINE_QUEUE_LOSS_SIZE, "lost %d\n", (int)lost);
}

static struct line_queue *open_queue(int fd)
{
    const struct line_queue_options options = {
        .fd = fd, .max = KEPT, .describe_loss = describe_loss};
    struct line_queue *queue = line_queue_open(&options);

    ck_assert_ptr_nonnull(queue);
    return queue;
}

static void post_number(struct line_queue *queue, int number)
{
    char line[16];
    int len = snprintf(line, sizeof(line), "%d\n", number);

    line_queue_post(queue, line, (size_t)len);
    line_queue_flush(queue);
}

/* Fills the pipe until a write would block; O_NONBLOCK belongs to another open of the same pipe. */
static void fill(const int ends[2])
{
    static const char bytes[4096];
    char name[32];
    int fd;

    snprintf(name, sizeof(name), "/proc/self/fd/%d", ends[1]);
    fd = open(name, O_WRONLY | O_NONBLOCK);
    ck_assert_int_ge(fd, 0);
    while (write(fd, bytes, sizeof(bytes)) > 0 || write(fd, bytes, 1) > 0)
        ;
    close(fd);
}

/* Appends bytes of the pipe, without the NULs of fill(), to a text of TEXT_SIZE bytes. Returns false
 * at the end. */
static bool read_more(int fd, char *text)
{
    char piece[4096], *to = text + strlen(text);
    ssize_t n = read(fd, piece, sizeof(piece));

    ck_assert_int_lt(to - text + n, TEXT_SIZE);
    for (ssize_t i = 0; i < n; i++)
        if (piece[i] != '\0')
            *to++ = piece[i];
    return n > 0;
}

static bool has_line_with(const char *text, const char *word)
{
    const char *at = strstr(text, word);

    return at != NULL && strchr(at, '\n') != NULL;
}

/* Reads up to a line with this word, or to the end. */
static char *read_until(int fd, const char *word)
{
    char *text = calloc(1, TEXT_SIZE);

    while ((word == NULL || !has_line_with(text, word)) && read_more(fd, text))
        ;
    return text;
}

START_TEST(lines_come_out_in_their_order)
{
    int ends[2], number = 0;
    struct line_queue *queue;
    char *text, *at;

    ck_assert_int_eq(pipe(ends), 0);
    queue = open_queue(ends[1]);
    for (int i = 0; i < 1000; i++)
        post_number(queue, i);
    ck_assert_uint_eq(line_queue_lost(queue), 0);
    ck_assert_uint_eq(line_queue_close(&queue), 0);
    ck_assert_ptr_null(queue);
    close(ends[1]);
    text = read_until(ends[0], NULL);
    for (at = text; *at != '\0'; at = strchr(at, '\n') + 1)
        ck_assert_int_eq(strtol(at, NULL, 10), number++);
    ck_assert_int_eq(number, 1000);
    free(text);
    close(ends[0]);
}
END_TEST

/* Returns the number after the last line, or after the last loss; fails where numbers are missing
 * without a loss. Adds the losses to *lost. */
static int count_through(const char *text, uint64_t *lost)
{
    int next = 0, missing, number;

    *lost = 0;
    for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
        if (sscanf(text, "lost %d", &missing) == 1) {
            next += missing;
            *lost += (uint64_t)missing;
        } else {
            ck_assert_int_eq(sscanf(text, "%d", &number), 1);
            ck_assert_int_eq(number, next++);
        }
    }
    return next;
}

static struct line_queue *open_on_full_pipe(int ends[2])
{
    ck_assert_int_eq(pipe(ends), 0);
    fill(ends);
    return open_queue(ends[1]);
}

START_TEST(a_full_pipe_delays_nobody_and_a_loss_is_told_in_its_place)
{
    int ends[2];
    struct line_queue *queue;
    char *text;
    uint64_t told;

    queue = open_on_full_pipe(ends);
    for (int i = 0; i < 10000; i++)
        post_number(queue, i);
    ck_assert_uint_gt(line_queue_lost(queue), 0);
    text = read_until(ends[0], "lost ");
    while (count_through(text, &told) < 10000)
        read_more(ends[0], text);
    ck_assert_uint_eq(told, line_queue_lost(queue));
    post_number(queue, 10000);
    while (count_through(text, &told) < 10001)
        read_more(ends[0], text);
    free(text);
    ck_assert_uint_eq(line_queue_close(&queue), 0);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(lines_that_nobody_reads_are_counted_at_the_end)
{
    int ends[2];
    struct line_queue *queue;

    queue = open_on_full_pipe(ends);
    for (int i = 0; i < 7; i++)
        post_number(queue, i);
    ck_assert_uint_eq(line_queue_close(&queue), 7);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(a_full_socket_delays_nobody)
{
    int ends[2];
    struct line_queue *queue;
    char line[1024], *text;

    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    queue = open_queue(ends[1]);
    while (line_queue_lost(queue) == 0) {
        line_queue_post(queue, line, sizeof(line));
        line_queue_flush(queue);
    }
    text = read_until(ends[0], "lost ");
    free(text);
    ck_assert_uint_eq(line_queue_close(&queue), 0);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(a_file_has_its_lines_as_soon_as_they_are_flushed)
{
    char name[] = "/tmp/line_queue.XXXXXX", *text;
    int fd = mkstemp(name), input = open(name, O_RDONLY);
    struct line_queue *queue = open_queue(fd);

    line_queue_post(queue, "one\n", 4);
    line_queue_flush(queue);
    text = read_until(input, NULL);
    ck_assert_str_eq(text, "one\n");
    free(text);
    line_queue_post(queue, "two\n", 4);
    ck_assert_uint_eq(line_queue_close(&queue), 0);
    text = read_until(input, NULL);
    ck_assert_str_eq(text, "two\n");
    free(text);
    unlink(name);
    close(input);
    close(fd);
}
END_TEST

START_TEST(an_unfinished_line_is_repeated_whole_where_the_queue_goes_next)
{
    static char line[2 * PIPE_BUF];
    int full[2], empty[2];
    struct line_queue *queue;
    char *text;

    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    ck_assert_int_eq(pipe(full), 0);
    ck_assert_int_eq(pipe(empty), 0);
    fill(full);
    queue = open_queue(full[1]);
    line_queue_post(queue, line, sizeof(line));
    line_queue_flush(queue);
    /* Room for a piece of the line, but not for all of it. */
    ck_assert_int_eq(read(full[0], (char[PIPE_BUF]){0}, PIPE_BUF), PIPE_BUF);
    while (poll(&(struct pollfd){.fd = full[1], .events = POLLOUT}, 1, 0) == 1)
        usleep(1000);
    ck_assert_int_eq(line_queue_redirect(queue, empty[1]), full[1]);
    ck_assert_uint_eq(line_queue_close(&queue), 0);
    close(empty[1]);
    text = read_until(empty[0], NULL);
    ck_assert_uint_eq(strlen(text), sizeof(line));
    ck_assert_int_eq(text[sizeof(line) - 1], '\n');
    free(text);
    close(empty[0]);
    close(full[0]);
    close(full[1]);
}
END_TEST

START_TEST(lines_of_two_queues_before_one_pipe_do_not_mix)
{
    static const char *const words[] = {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
                                        "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n"};
    struct line_queue *queues[2];
    int ends[2], count = 0;
    char *text;

    ck_assert_int_eq(pipe(ends), 0);
    for (int q = 0; q < 2; q++)
        queues[q] = open_queue(ends[1]);
    for (int i = 0; i < 300; i++) /* more than PIPE_BUF bytes for each queue */
        line_queue_post(queues[i % 2], words[i % 2], strlen(words[i % 2]));
    for (int q = 0; q < 2; q++)
        line_queue_flush(queues[q]);
    for (int q = 0; q < 2; q++)
        ck_assert_uint_eq(line_queue_close(&queues[q]), 0);
    close(ends[1]);
    text = read_until(ends[0], NULL);
    for (const char *at = text; *at != '\0'; at = strchr(at, '\n') + 1, count++)
        ck_assert(strncmp(at, words[0], strlen(words[0])) == 0 ||
                  strncmp(at, words[1], strlen(words[1])) == 0);
    ck_assert_int_eq(count, 300);
    free(text);
    close(ends[0]);
}
END_TEST

START_TEST(the_last_line_of_a_dying_process_follows_the_queued_ones)
{
    int ends[2];
    struct line_queue *queue;
    char *text;

    ck_assert_int_eq(pipe(ends), 0);
    queue = open_queue(ends[1]);
    line_queue_post(queue, "queued\n", 7); /* without a flush the thread sleeps */
    line_queue_write_last(queue, "last\n", 5);
    text = read_until(ends[0], "last\n");
    ck_assert_str_eq(text, "queued\nlast\n");
    free(text);
}
END_TEST

Suite *suite(void)
{
    Suite *s = suite_create("line queue");
    TCase *tc = tcase_create("units");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, lines_come_out_in_their_order);
    tcase_add_test(tc, a_full_pipe_delays_nobody_and_a_loss_is_told_in_its_place);
    tcase_add_test(tc, lines_that_nobody_reads_are_counted_at_the_end);
    tcase_add_test(tc, a_full_socket_delays_nobody);
    tcase_add_test(tc, a_file_has_its_lines_as_soon_as_they_are_flushed);
    tcase_add_test(tc, an_unfinished_line_is_repeated_whole_where_the_queue_goes_next);
    tcase_add_test(tc, lines_of_two_queues_before_one_pipe_do_not_mix);
    tcase_add_test(tc, the_last_line_of_a_dying_process_follows_the_queued_ones);
    suite_add_tcase(s, tc);
    return s;
}
