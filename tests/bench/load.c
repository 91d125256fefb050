/* SPDX-License-Identifier: MIT
 *
 * load - sends different, valid deliveries over HTTP/1.1 and reports latencies.
 *
 * Without --rate each connection sends the next delivery after the last answer (closed loop), which
 * finds the maximum rate. With --rate deliveries are sent at a constant rate (open loop), and
 * latency counts from the scheduled moment, so that a stall of the server is visible as a sender
 * sees it.
 *
 * All deliveries are signed before the first is sent. The result is a line of JSON.
 */
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "deliveries.h"
#include "histogram.h"

enum {
    EVENTS = 256,
    ANSWER_MAX = 4096,
    PATIENCE_S = 30, /* for missing answers at the end */
};

struct connection {
    int fd;
    bool waiting;   /* for an answer */
    int64_t due_ns; /* scheduled time of that request */
    size_t got;
    char answer[ANSWER_MAX];
    char *request;
};

struct load {
    unsigned port, connections;
    double seconds, rate;
    bool hold;
    struct deliveries_options what;
    struct deliveries *deliveries;
    struct connection *connection;
    struct connection **idle; /* a ring, so that connections take turns */
    size_t idle_first, idle_count;
    int epoll;
    size_t sent;
    uint64_t statuses[600];
    struct histogram histogram;
};

__attribute__((noreturn)) static void fail(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- connections */

static void put_idle(struct load *l, struct connection *c)
{
    c->waiting = false;
    l->idle[(l->idle_first + l->idle_count++) % l->connections] = c;
}

static struct connection *take_idle(struct load *l)
{
    struct connection *c = l->idle[l->idle_first];

    l->idle_first = (l->idle_first + 1) % l->connections;
    l->idle_count--;
    return c;
}

static void open_connection(struct load *l, struct connection *c)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)l->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    const int on = 1;

    if ((c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
        fail("socket");
    if (connect(c->fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        fail("connect");
    if (setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
        epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &event) < 0)
        fail("epoll_ctl");
    if ((c->request = calloc(1, deliveries_request_len(l->deliveries))) == NULL)
        fail("calloc");
    put_idle(l, c);
}

static void open_connections(struct load *l)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    l->connection = calloc(l->connections, sizeof(*l->connection));
    l->idle = calloc(l->connections, sizeof(*l->idle));
    if (l->connection == NULL || l->idle == NULL || (l->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0)
        fail("epoll_create1");
    for (unsigned i = 0; i < l->connections; i++)
        open_connection(l, &l->connection[i]);
}

static bool is_all_sent(const struct load *l)
{
    return l->sent == deliveries_count(l->deliveries);
}

/* A request fits into an empty socket's buffer. */
static void send_next(struct load *l, struct connection *c, int64_t due_ns)
{
    size_t len = deliveries_request_len(l->deliveries);

    deliveries_write(l->deliveries, l->sent++, c->request);
    c->waiting = true;
    c->due_ns = due_ns;
    c->got = 0;
    if (send(c->fd, c->request, len, MSG_NOSIGNAL) != (ssize_t)len)
        fail("send");
}

/* ---- answers */

/* Returns the length of the whole answer, or 0 until its header is complete. */
static size_t answer_len(const struct connection *c)
{
    static const char name[] = "\r\ncontent-length:";
    const char *end = memmem(c->answer, c->got, "\r\n\r\n", 4);

    if (end == NULL)
        return 0;
    for (const char *p = c->answer; p < end; p++)
        if (*p == '\r' && strncasecmp(p, name, strlen(name)) == 0)
            return (size_t)(end + 4 - c->answer) + strtoul(p + strlen(name), NULL, 10);
    errno = EPROTO;
    fail("an answer without Content-Length");
}

/* Returns true once the answer is complete. */
static bool read_answer(struct load *l, struct connection *c)
{
    ssize_t n = recv(c->fd, c->answer + c->got, sizeof(c->answer) - 1 - c->got, MSG_DONTWAIT);
    size_t len;

    if (n <= 0 || !c->waiting) {
        errno = n == 0 ? ECONNRESET : n > 0 ? EPROTO : errno;
        fail("recv");
    }
    c->got += (size_t)n;
    c->answer[c->got] = '\0';
    len = answer_len(c);
    if (len == 0 || c->got < len)
        return false;
    l->statuses[strtoul(c->answer + strlen("HTTP/1.1 "), NULL, 10) % 600]++;
    histogram_add(&l->histogram, now_ns() - c->due_ns);
    put_idle(l, c);
    return true;
}

/* Waits for data, at most until until_ns. */
static void read_answers(struct load *l, int64_t until_ns)
{
    struct epoll_event events[EVENTS];
    int64_t rest = until_ns - now_ns();
    struct timespec wait = {.tv_sec = rest < 0 ? 0 : rest / 1000000000,
                            .tv_nsec = rest < 0 ? 0 : rest % 1000000000};
    int n = epoll_pwait2(l->epoll, events, EVENTS, &wait, NULL);

    if (n < 0 && errno != EINTR)
        fail("epoll_pwait2");
    for (int i = 0; i < n; i++)
        read_answer(l, events[i].data.ptr);
}

/* ---- the two models */

static void send_as_fast_as_possible(struct load *l, int64_t start_ns, int64_t end_ns)
{
    for (int64_t now = start_ns; now < end_ns && !is_all_sent(l); now = now_ns()) {
        while (l->idle_count > 0 && !is_all_sent(l))
            send_next(l, take_idle(l), now_ns());
        read_answers(l, end_ns);
    }
}

static void send_at_rate(struct load *l, int64_t start_ns, int64_t end_ns)
{
    double gap_ns = 1e9 / l->rate;
    int64_t due_ns = start_ns;

    while (due_ns < end_ns && !is_all_sent(l)) {
        while (l->idle_count > 0 && !is_all_sent(l) && due_ns < end_ns && due_ns <= now_ns()) {
            send_next(l, take_idle(l), due_ns);
            due_ns = start_ns + (int64_t)((double)l->sent * gap_ns);
        }
        read_answers(l, l->idle_count > 0 ? due_ns : INT64_MAX);
    }
}

static void wait_for_the_rest(struct load *l)
{
    int64_t until_ns = now_ns() + (int64_t)PATIENCE_S * 1000000000;

    while (l->idle_count < l->connections) {
        if (now_ns() > until_ns) {
            errno = ETIMEDOUT;
            fail("answers");
        }
        read_answers(l, until_ns);
    }
}

/* ---- the result */

static double cpu_seconds(void)
{
    struct rusage r;

    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static double us_at(const struct load *l, double share)
{
    return (double)histogram_at(&l->histogram, share) / 1e3;
}

static void print_result(const struct load *l, double took_s, double cpu_s)
{
    const char *comma = "";

    printf("{\"sent\": %zu, \"seconds\": %.6f, \"rate\": %.1f, \"cpu_us\": %.3f, \"answers\": {",
           l->sent, took_s, (double)l->sent / took_s, cpu_s * 1e6 / (double)l->sent);
    for (int status = 0; status < 600; status++)
        if (l->statuses[status] > 0) {
            printf("%s\"%d\": %llu", comma, status, (unsigned long long)l->statuses[status]);
            comma = ", ";
        }
    printf("}, \"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": %.1f}\n",
           us_at(l, 0.5), us_at(l, 0.99), us_at(l, 0.999), (double)l->histogram.max_ns / 1e3);
    fflush(stdout);
}

static void run(struct load *l)
{
    int64_t start_ns, end_ns;
    double cpu_s;
    char none[64];

    if ((l->deliveries = deliveries_new(&l->what)) == NULL)
        exit(1);
    prctl(PR_SET_TIMERSLACK, 1);
    open_connections(l);
    cpu_s = cpu_seconds();
    start_ns = now_ns();
    end_ns = start_ns + (int64_t)(l->seconds * 1e9);
    if (l->rate > 0)
        send_at_rate(l, start_ns, end_ns);
    else
        send_as_fast_as_possible(l, start_ns, end_ns);
    wait_for_the_rest(l);
    print_result(l, (double)(now_ns() - start_ns) / 1e9, cpu_seconds() - cpu_s);
    while (l->hold && read(STDIN_FILENO, none, sizeof(none)) > 0)
        ;
}

/* ---- the command line */

static void usage(void)
{
    fputs("Usage: load --port PORT --path PATH --sign SCHEME=SECRET... [--connections N]\n"
          "            [--seconds S] [--count DELIVERIES] [--rate PER-SECOND] [--hold]\n"
          "\n"
          "--hold keeps the connections until the standard input ends.\n",
          stderr);
    exit(2);
}

static void add_signer(struct deliveries_options *what, char *text)
{
    char *equals = strchr(text, '=');

    if (equals == NULL || what->signers == DELIVERIES_SIGNERS_MAX)
        usage();
    *equals = '\0';
    what->schemes[what->signers] = text;
    what->secrets[what->signers++] = equals + 1;
}

static void take_option(struct load *l, int option)
{
    switch (option) {
    case 'p':
        l->port = (unsigned)strtoul(optarg, NULL, 10);
        break;
    case 'a':
        l->what.path = optarg;
        break;
    case 's':
        add_signer(&l->what, optarg);
        break;
    case 'c':
        l->connections = (unsigned)strtoul(optarg, NULL, 10);
        break;
    case 't':
        l->seconds = strtod(optarg, NULL);
        break;
    case 'n':
        l->what.count = strtoul(optarg, NULL, 10);
        break;
    case 'r':
        l->rate = strtod(optarg, NULL);
        break;
    case 'h':
        l->hold = true;
        break;
    default:
        usage();
    }
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"port", required_argument, NULL, 'p'},
        {"path", required_argument, NULL, 'a'},
        {"sign", required_argument, NULL, 's'},
        {"connections", required_argument, NULL, 'c'},
        {"seconds", required_argument, NULL, 't'},
        {"count", required_argument, NULL, 'n'},
        {"rate", required_argument, NULL, 'r'},
        {"hold", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    static struct load l = {.connections = 64, .seconds = 2, .what.count = 400000};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
        take_option(&l, option);
    if (optind < argc || l.port == 0 || l.connections == 0 || l.what.path == NULL ||
        l.what.signers == 0 || l.what.count == 0)
        usage();
    l.what.now = time(NULL);
    run(&l);
    return 0;
}
