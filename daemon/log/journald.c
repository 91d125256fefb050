/* SPDX-License-Identifier: MIT */
#include "daemon/log/journald.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct journald {
    int fd; /* -1: nobody is there */
    char *base;
    size_t len, size;
    bool failed; /* there was no memory for all of the entry */
};

static bool journald_connect(struct journald *j)
{
    const struct sockaddr_un where = {
        .sun_family = AF_UNIX,
        .sun_path = "/run/systemd/journal/socket",
    };

    j->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return j->fd >= 0 && connect(j->fd, (const struct sockaddr *)&where, sizeof(where)) == 0;
}

static void journald_disconnect(struct journald *j)
{
    int saved = errno;

    if (j->fd >= 0)
        close(j->fd);
    j->fd = -1;
    errno = saved;
}

struct journald *journald_open(void)
{
    struct journald *j = calloc(1, sizeof(*j));

    if (j != NULL && !journald_connect(j))
        journald_close(&j);
    return j;
}

void journald_close(struct journald **journald)
{
    struct journald *j = *journald;

    if (j == NULL)
        return;
    journald_disconnect(j);
    free(j->base);
    free(j);
    *journald = NULL;
}

int journald_descriptor(const struct journald *j)
{
    return j->fd;
}

/* ---- an entry */

static void journald_put(struct journald *j, const void *bytes, size_t len)
{
    if (j->len + len > j->size) {
        size_t size = (j->len + len) * 2;
        char *bigger = realloc(j->base, size);

        if (bigger == NULL) {
            j->failed = true;
            return;
        }
        j->base = bigger;
        j->size = size;
    }
    memcpy(j->base + j->len, bytes, len);
    j->len += len;
}

/* In the protocol a line end would begin another field: a value that has one is counted out. */
void journald_add(struct journald *j, const char *name, const char *value, size_t len)
{
    journald_put(j, name, strlen(name));
    if (memchr(value, '\n', len) == NULL) {
        journald_put(j, "=", 1);
    } else {
        unsigned char count[sizeof(uint64_t)];

        for (size_t i = 0; i < sizeof(count); i++)
            count[i] = (unsigned char)((uint64_t)len >> (8 * i));
        journald_put(j, "\n", 1);
        journald_put(j, count, sizeof(count));
    }
    journald_put(j, value, len);
    journald_put(j, "\n", 1);
}

void journald_begin(struct journald *j, int priority)
{
    /* The facility is that of what services print: "daemon". */
    static const char ours[] = "SYSLOG_IDENTIFIER=hooklined\nSYSLOG_FACILITY=3\n";
    char text[16];
    int len = snprintf(text, sizeof(text), "%d", priority);

    j->len = 0;
    j->failed = false;
    journald_put(j, ours, sizeof(ours) - 1);
    journald_add(j, "PRIORITY", text, (size_t)len);
}

/* ---- sending */

/* Sealed: nobody changes any more what the journal reads. */
static int journald_sealed_file(const char *bytes, size_t len)
{
    int fd = memfd_create("journal", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -1;
    if (write(fd, bytes, len) == (ssize_t)len &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0)
        return fd;
    close(fd);
    return -1;
}

/* What is too long for a datagram is a file whose descriptor is sent, without anything else. */
static ssize_t journald_send_file(const struct journald *j)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_control = &control, .msg_controllen = sizeof(control)};
    int saved, file = journald_sealed_file(j->base, j->len);
    ssize_t n;

    if (file < 0) {
        errno = EMSGSIZE;
        return -1;
    }
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(file));
    memcpy(CMSG_DATA(&control.header), &file, sizeof(file));
    n = sendmsg(j->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    saved = errno;
    close(file);
    errno = saved;
    return n;
}

int journald_send(struct journald *j)
{
    ssize_t n;

    if (j->failed) {
        errno = ENOMEM;
        return -1;
    }
    if (j->fd < 0 && !journald_connect(j)) {
        journald_disconnect(j);
        return -1;
    }
    n = send(j->fd, j->base, j->len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && (errno == EMSGSIZE || errno == ENOBUFS))
        n = journald_send_file(j);
    if (n >= 0)
        return 1;
    if (errno == EAGAIN || errno == EINTR)
        return 0;
    if (errno != EMSGSIZE)
        journald_disconnect(j);
    return -1;
}
