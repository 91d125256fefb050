/* SPDX-License-Identifier: MIT */
#include "daemon/http/linger.h"

#include <stdlib.h>
#include <sys/socket.h>

#include <h2o.h>

#include "daemon/base/clock.h"

enum {
    LINGER_S = 2
};

struct lingering {
    h2o_loop_t *loop;
    void (*gone)(void *data);
    h2o_linklist_t all;
};

struct lingering_socket {
    h2o_linklist_t link;
    struct lingering *lingering;
    h2o_socket_t *sock;
    void *data;
    int64_t until_us;
};

struct lingering *lingering_new(h2o_loop_t *loop, void (*gone)(void *data))
{
    struct lingering *lingering = h2o_mem_alloc(sizeof(*lingering));

    *lingering = (struct lingering){.loop = loop, .gone = gone};
    h2o_linklist_init_anchor(&lingering->all);
    return lingering;
}

void lingering_free(struct lingering **lingering)
{
    free(*lingering);
    *lingering = NULL;
}

static void lingering_end(struct lingering_socket *l)
{
    h2o_linklist_unlink(&l->link);
    h2o_socket_close(l->sock);
    l->lingering->gone(l->data);
    free(l);
}

static void lingering_on_late_bytes(h2o_socket_t *sock, const char *err)
{
    h2o_buffer_consume(&sock->input, sock->input->size);
    if (err != NULL)
        lingering_end(sock->data);
}

void lingering_add(struct lingering *lingering, int fd, void *data)
{
    struct lingering_socket *l = h2o_mem_alloc(sizeof(*l));

    shutdown(fd, SHUT_WR);
    *l = (struct lingering_socket){
        .lingering = lingering,
        .sock = h2o_evloop_socket_create(lingering->loop, fd, 0),
        .data = data,
        .until_us = clock_mono_us() + LINGER_S * 1000000,
    };
    l->sock->data = l;
    h2o_linklist_insert(&lingering->all, &l->link);
    h2o_socket_read_start(l->sock, lingering_on_late_bytes);
}

void lingering_sweep(struct lingering *lingering, int64_t now_us)
{
    h2o_linklist_t *link = lingering->all.next;

    while (link != &lingering->all) {
        struct lingering_socket *l = H2O_STRUCT_FROM_MEMBER(struct lingering_socket, link, link);

        link = link->next;
        if (now_us >= l->until_us)
            lingering_end(l);
    }
}
