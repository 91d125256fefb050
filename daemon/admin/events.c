/* SPDX-License-Identifier: MIT */
#include "daemon/admin/events.h"

#include <fcntl.h>

#include <h2o.h>

#include "daemon/admin/query.h"
#include "daemon/base/buffer.h"
#include "daemon/base/clock.h"
#include "daemon/http/connection.h"
#include "daemon/http/json_reply.h"
#include "daemon/log/feed.h"

enum {
    SENT_AT_ONCE = 64 << 10, /* bytes per write; a longer line is sent alone */
    BETWEEN_BEATS_US = 900000,
};

struct events {
    h2o_context_t *ctx;
    struct feed *feed;
    h2o_socket_t *signal; /* readable when the feed has new lines */
    h2o_linklist_t streams;
    unsigned count;
    int64_t beat_us;
    bool ending;
};

/* Allocated in the pool of the request, and freed with it. */
struct events_stream {
    h2o_generator_t super;
    h2o_linklist_t link;
    struct events *all;
    h2o_req_t *req;
    struct client_addr client;
    struct feed_watcher watcher;
    uint64_t lost;      /* lost lines not yet reported to the client */
    struct buffer sent; /* borrowed by libh2o until proceed() */
    bool sending;
    int64_t sent_us;
};

static struct events_stream *events_stream_of(h2o_linklist_t *link)
{
    return H2O_STRUCT_FROM_MEMBER(struct events_stream, link, link);
}

static void events_append_event(struct events_stream *s, const char *line, size_t len)
{
    /* The line has its own "\n"; an empty line ends the event. */
    size_t before = s->sent.len;

    buffer_append_text(&s->sent, "data: ");
    buffer_append(&s->sent, line, len);
    if (!buffer_append_char(&s->sent, '\n')) {
        buffer_truncate(&s->sent, before);
        s->lost++;
    }
}

static void events_append_loss(struct events_stream *s)
{
    char text[80];
    int len;

    if (s->lost == 0)
        return;
    len = snprintf(text, sizeof(text), "event: lost\ndata: {\"lost_lines\":%llu}\n\n",
                   (unsigned long long)s->lost);
    if (buffer_append(&s->sent, text, (size_t)len))
        s->lost = 0;
    else
        buffer_truncate(&s->sent, s->sent.len);
}

static void events_append_lines(struct events_stream *s)
{
    char *line = NULL;
    size_t len;

    do {
        feed_take(s->all->feed, &s->watcher, &line, &len, &s->lost);
        events_append_loss(s);
        if (line != NULL)
            events_append_event(s, line, len);
        free(line);
    } while (line != NULL && s->sent.len < SENT_AT_ONCE);
}

static void events_flush(struct events_stream *s, h2o_send_state_t state)
{
    h2o_iovec_t bytes = {s->sent.base, s->sent.len};

    s->sending = true;
    s->sent_us = clock_mono_us();
    h2o_send(s->req, &bytes, bytes.len == 0 ? 0 : 1, state);
}

/* Sends the next lines, unless libh2o still writes the previous ones. */
static void events_pump(struct events_stream *s)
{
    if (s->sending)
        return;
    buffer_truncate(&s->sent, 0);
    events_append_lines(s);
    if (s->all->ending)
        events_flush(s, H2O_SEND_STATE_FINAL);
    else if (s->sent.len > 0)
        events_flush(s, H2O_SEND_STATE_IN_PROGRESS);
}

static void events_on_proceed(h2o_generator_t *generator, h2o_req_t *req)
{
    struct events_stream *s = (struct events_stream *)generator;

    s->sending = false;
    connection_note_progress(req);
    events_pump(s);
}

static void events_on_gone(void *data)
{
    struct events_stream *s = data;

    h2o_linklist_unlink(&s->link);
    s->all->count--;
    feed_unwatch(s->all->feed);
    buffer_free(&s->sent);
}

static bool events_are_full(struct events *all, const struct client_addr *client)
{
    unsigned of_address = 0;

    for (h2o_linklist_t *link = all->streams.next; link != &all->streams; link = link->next)
        of_address +=
            memcmp(&events_stream_of(link)->client.host, &client->host, sizeof(client->host)) == 0;
    return all->count == EVENTS_STREAMS_MAX ||
           (client_addr_is_known(client) && of_address >= EVENTS_STREAMS_OF_ADDRESS);
}

bool events_begin(struct events *all, h2o_req_t *req, const struct query *query)
{
    struct client_addr client;
    struct events_stream *s;

    connection_client_addr(req, &client);
    if (events_are_full(all, &client))
        return false;
    json_reply_prepare(req, 200, "text/event-stream");
    s = h2o_mem_alloc_shared(&req->pool, sizeof(*s), events_on_gone);
    *s = (struct events_stream){
        .super = {events_on_proceed, NULL}, .all = all, .req = req, .client = client};
    memcpy(s->watcher.source, query->source, sizeof(s->watcher.source));
    s->watcher.verdict = query->verdict;
    h2o_linklist_insert(&all->streams, &s->link);
    all->count++;
    feed_watch(all->feed, &s->watcher);
    h2o_start_response(req, &s->super);
    /* A first comment flushes the response head: from now on the client misses no line. */
    buffer_append_text(&s->sent, ": hooklined\n\n");
    events_flush(s, all->ending ? H2O_SEND_STATE_FINAL : H2O_SEND_STATE_IN_PROGRESS);
    return true;
}

static void events_on_signal(h2o_socket_t *socket, const char *err)
{
    struct events *all = socket->data;

    if (err != NULL)
        return;
    feed_clear_signal(all->feed);
    for (h2o_linklist_t *link = all->streams.next, *next; link != &all->streams; link = next) {
        next = link->next;
        events_pump(events_stream_of(link));
    }
}

struct events *events_open(h2o_context_t *ctx, struct feed *feed)
{
    struct events *all = h2o_mem_alloc(sizeof(*all));
    int fd = fcntl(feed_descriptor(feed), F_DUPFD_CLOEXEC, 0);

    *all = (struct events){.ctx = ctx, .feed = feed};
    h2o_linklist_init_anchor(&all->streams);
    if (fd >= 0) {
        all->signal = h2o_evloop_socket_create(ctx->loop, fd, H2O_SOCKET_FLAG_DONT_READ);
        all->signal->data = all;
        h2o_socket_read_start(all->signal, events_on_signal);
    }
    return all;
}

void events_close(struct events *all)
{
    if (all->signal != NULL)
        h2o_socket_close(all->signal);
    free(all);
}

void events_heartbeat(struct events *all)
{
    int64_t now_us = clock_mono_us(), quiet_us = now_us - EVENTS_HEARTBEAT_S * (int64_t)1000000;

    if (now_us < all->beat_us + BETWEEN_BEATS_US)
        return;
    all->beat_us = now_us;

    for (h2o_linklist_t *link = all->streams.next, *next; link != &all->streams; link = next) {
        struct events_stream *s = events_stream_of(link);

        next = link->next;
        if (s->sending || s->sent_us > quiet_us)
            continue;
        buffer_truncate(&s->sent, 0);
        buffer_append_text(&s->sent, ":\n\n");
        events_flush(s, H2O_SEND_STATE_IN_PROGRESS);
    }
}

void events_end(struct events *all)
{
    all->ending = true;
    for (h2o_linklist_t *link = all->streams.next, *next; link != &all->streams; link = next) {
        next = link->next;
        events_pump(events_stream_of(link));
    }
}
